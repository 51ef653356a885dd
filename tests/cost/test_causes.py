import dataclasses

import pytest

from mcuprune.cost.causes import Causes, arena_causes, operator_causes
from mcuprune.cost.memory import arena_total
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor

RUNTIMES = ("tflm-reference", "tflm-cmsis-nn", "tflm-cmsis-nn-mve")


def dense() -> Graph:
    """30 features to 10, on a Cortex-M4."""
    tensors = (
        Tensor("x", (1, 30)),
        Tensor("kernel", (10, 30), is_constant=True),
        Tensor("bias", (10,), 32, "int32", is_constant=True),
        Tensor("y", (1, 10)),
    )
    return Graph("dense", tensors, (Operator(0, "FULLY_CONNECTED", (0, 1, 2), (3,)),), (0,), (3,))


def test_an_operator_by_hand():
    # The kernel keeps 9 ints, 2 pointers and a bool (48 B), 2 ints, a pointer and 3 ints; its
    # options are 5 bytes, of which 3 enums.
    (found,) = operator_causes(dense(), "tflm-cmsis-nn")
    assert (found.activations, found.scratch, found.plan_gaps) == (30 + 10, 0, 0)
    assert (found.persistent_buffers, found.structs) == (48 + 24, 5)
    assert found.alignment >= (32 - 30) + (16 - 10)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_causes_add_up_to_the_arena(residual, runtime):
    for graph in (residual, dense()):
        assert arena_causes(graph, runtime).total_bytes == arena_total(graph, runtime=runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_causes_of_public_models_add_up(shared, runtime):
    for file in ("mlperf_tiny/vww_96_int8", "tflm/trained_lstm_int8", "tflm/person_detect"):
        graph = read_tflite(shared / f"models/{file}.tflite")
        found = arena_causes(graph, runtime)
        assert found.total_bytes == arena_total(graph, runtime=runtime)
        assert min(dataclasses.astuple(found)) >= 0


def test_gaps_of_the_plan(shared):
    """TFLM's plan of this model takes 73,728 B, its largest working set 55,296 B."""
    graph = read_tflite(shared / "models/mlperf_tiny/vww_96_int8.tflite")
    assert arena_causes(graph).plan_gaps == 73_728 - 55_296


def test_tensors_that_a_file_puts_in_one_place_count_once():
    """A sum written over its first operand: 256 bytes twice, not thrice."""
    tensors = tuple(Tensor(name, (1, 8, 8, 4)) for name in "abc")
    graph = Graph("sum", tensors, (Operator(0, "ADD", (0, 1), (2,)),), (0, 1), (2,))
    shared = dataclasses.replace(graph, offline_offsets=(0, 256, 0))
    assert arena_causes(graph).activations == 3 * 256
    assert arena_causes(shared).activations == 2 * 256
    assert arena_causes(shared).plan_gaps == 0


def test_scratch_and_multipliers_of_a_convolution(residual):
    convolution = operator_causes(residual, "tflm-cmsis-nn")[0]
    # Two patches of 3*3*4 as int16; OpDataConv of 14 ints and an index, 4 channels twice.
    assert convolution.scratch == 2 * 36 * 2
    assert convolution.persistent_buffers == 14 * 4 + 4 + 2 * 4 * 4
    assert convolution.activations == 2 * 256


def test_a_graph_without_operators_has_an_arena_too():
    tensors = (Tensor("x", (1, 8)),)
    graph = Graph("nothing", tensors, (), (0,), (0,))
    assert operator_causes(graph) == ()
    assert arena_causes(graph).total_bytes == arena_total(graph)


def test_causes_add():
    assert Causes(activations=1, scratch=2) + Causes(scratch=3, structs=4) == Causes(1, 5, 0, 0, 4)
