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
