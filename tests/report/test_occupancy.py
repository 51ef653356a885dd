"""What lies in the arena, on a residual block small enough to count by hand."""

from __future__ import annotations

from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.report.occupancy import arena, peak_step


def residual_graph() -> Graph:
    """in (32 B) -CONV-> a (64) -CONV-> b (64) -CONV-> c (64); ADD(a, c) -> out (64)."""
    tensors = (
        Tensor("in", (1, 4, 4, 2)),
        Tensor("a", (1, 4, 4, 4)),
        Tensor("b", (1, 4, 4, 4)),
        Tensor("c", (1, 4, 4, 4)),
        Tensor("out", (1, 4, 4, 4)),
        Tensor("weights", (4, 3, 3, 4), is_constant=True),
    )
    operators = (
        Operator(0, "CONV_2D", (0, 5), (1,)),
        Operator(1, "CONV_2D", (1, 5), (2,)),
        Operator(2, "CONV_2D", (2, 5), (3,)),
        Operator(3, "ADD", (1, 3), (4,)),
    )
    return Graph("residual", tensors, operators, inputs=(0,), outputs=(4,))


def test_live_tensors_and_their_roles():
    steps = arena(residual_graph()).steps
    roles = [[(tensor.name, tensor.role) for tensor in step.live] for step in steps]
    assert roles == [
        [("in", "reads"), ("a", "writes")],
        [("a", "reads"), ("b", "writes")],
        [("a", "keeps"), ("b", "reads"), ("c", "writes")],
        [("a", "reads"), ("c", "reads"), ("out", "writes")],
    ]


def test_bytes_per_operator():
    steps = arena(residual_graph()).steps
    assert [step.size_bytes for step in steps] == [32 + 64, 64 + 64, 3 * 64, 3 * 64]


def test_peak_is_the_first_of_the_largest():
    assert peak_step(arena(residual_graph()).steps).index == 2


def test_shapes_leave_out_the_batch():
    assert arena(residual_graph()).steps[0].live[0].shape == (4, 4, 2)


def reshaped_graph() -> Graph:
    """in (64 B) -CONV-> a (64) -RESHAPE-> b (64) -CONV-> out (64); the file puts b in a's place."""
    tensors = (
        Tensor("in", (1, 4, 4, 4)),
        Tensor("a", (1, 4, 4, 4)),
        Tensor("b", (1, 16, 1, 4)),
        Tensor("out", (1, 16, 1, 4)),
        Tensor("weights", (4, 1, 1, 4), is_constant=True),
        Tensor("shape", (4,), bits=32, dtype="int32", is_constant=True),
    )
    operators = (
        Operator(0, "CONV_2D", (0, 4), (1,)),
        Operator(1, "RESHAPE", (1, 5), (2,)),
        Operator(2, "CONV_2D", (2, 4), (3,)),
    )
    offsets = (0, 64, 64, 0, -1, -1)
    return Graph("reshaped", tensors, operators, inputs=(0,), outputs=(3,), offline_offsets=offsets)


def test_blocks_have_the_offsets_of_the_file_and_lifetimes():
    found = arena(reshaped_graph())
    assert found.is_planned_in_file
    assert [
        (b.name, b.offset_bytes, b.size_bytes, b.first_operator, b.last_operator)
        for b in found.blocks
    ] == [("in", 0, 64, 0, 0), ("a", 64, 64, 0, 1), ("b", 64, 64, 1, 2), ("out", 0, 64, 2, 2)]
    assert found.head_bytes == 128


def test_tensors_in_one_place_are_counted_once():
    found = arena(reshaped_graph())
    names = [[(tensor.name, tensor.role) for tensor in step.live] for step in found.steps]
    assert names == [
        [("in", "reads"), ("a", "writes")],
        [("b", "writes")],
        [("b", "reads"), ("out", "writes")],
    ]
    assert [step.size_bytes for step in found.steps] == [128, 64, 128]
    assert [block.in_place_of for block in found.blocks] == [None, None, "a", None]


def test_without_a_plan_in_the_file_the_greedy_one_is_shown():
    found = arena(residual_graph())
    assert not found.is_planned_in_file
    # Of the 64 B tensors the last goes first: out and c side by side, then b and a.
    assert found.head_bytes == 3 * 64
    for step in found.steps:
        placed = sorted(
            (found.blocks[tensor.block].offset_bytes, tensor.size_bytes) for tensor in step.live
        )
        ends = [offset + size for offset, size in placed]
        assert all(end <= start for end, (start, _) in zip(ends, placed[1:], strict=False))
