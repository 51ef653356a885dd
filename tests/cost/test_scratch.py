import pytest

from mcuprune.cost.runtime import load_runtime
from mcuprune.cost.scratch import operator_scratch, scratch_requests
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import ScratchRequest


def requests(kind, tensors, outputs=1):
    """Inputs first, then the outputs."""
    count = len(tensors) - outputs
    operator = Operator(0, kind, tuple(range(count)), tuple(range(count, len(tensors))))
    graph = Graph("one", tuple(tensors), (operator,), (0,), operator.outputs)
    return [request.size_bytes for request in operator_scratch(graph, operator, load_runtime())]


AXES = Tensor("axes", (2,), 32, "int32", is_constant=True)


def test_mean_keeps_an_accumulator_per_output_an_index_and_the_axes():
    assert requests("MEAN", [Tensor("x", (1, 8, 8, 5)), AXES, Tensor("y", (1, 5))]) == [20, 16, 8]


def test_mean_of_floats_needs_no_accumulator():
    tensors = [
        Tensor("x", (1, 8, 8, 5), 32, "float32"),
        AXES,
        Tensor("y", (1, 5), 32, "float32"),
    ]
    assert requests("MEAN", tensors) == [16, 8]


def test_transposed_convolution_accumulates_every_output():
    tensors = [
        Tensor("shape", (4,), 32, "int32", is_constant=True),
        Tensor("kernel", (3, 3, 3, 2), is_constant=True),
        Tensor("x", (1, 4, 4, 2)),
        Tensor("y", (1, 8, 8, 3)),
    ]
    assert requests("TRANSPOSE_CONV", tensors) == [8 * 8 * 3 * 4]


def test_svdf_keeps_a_number_per_filter_and_per_unit():
    shapes = [(1, 40), (128, 40), (128, 8), (64,), (1, 1024), (1, 64)]
    assert requests("SVDF", [Tensor(str(s), s) for s in shapes]) == [128 * 4, 64 * 4]


@pytest.mark.parametrize(("dtype", "bits", "expected"), [("int8", 8, []), ("int4", 4, [60])])
def test_int4_weights_are_unpacked(dtype, bits, expected):
    weights = Tensor("k", (6, 10), bits, dtype, is_constant=True)
    assert requests("FULLY_CONNECTED", [Tensor("x", (1, 10)), weights, Tensor("y", (1, 6))]) == (
        expected
    )


def test_requests_carry_their_operator():
    tensors = (Tensor("x", (1, 4, 4, 3)), Tensor("r", (1, 4, 4, 3)), AXES, Tensor("y", (1, 3)))
    operators = (Operator(0, "RELU", (0,), (1,)), Operator(1, "REDUCE_MAX", (1, 2), (3,)))
    graph = Graph("two", tensors, operators, (0,), (3,))
    assert scratch_requests(graph) == (ScratchRequest(1, 16), ScratchRequest(1, 8))
