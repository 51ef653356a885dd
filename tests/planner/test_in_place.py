import dataclasses

import pytest

from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.in_place import room_buffers, shared_places
from mcuprune.planner.lifetimes import Buffer, ScratchRequest


def chain(*kinds, outputs=None, extra=()):
    """Tensors of 64 B in a row, each made from the one before by an operator of a kind."""
    tensors = tuple(Tensor(f"t{i}", (1, 8, 8)) for i in range(len(kinds) + 1))
    operators = [Operator(i, kind, (i,), (i + 1,)) for i, kind in enumerate(kinds)]
    operators += extra
    return Graph("chain", tensors, tuple(operators), (0,), outputs or (len(kinds),))


def test_an_element_wise_operator_writes_over_an_input_that_is_not_read_again():
    assert shared_places(chain("CONV_2D", "RELU", "CONV_2D")) == {2: 1}


def test_shared_places_go_on_along_a_chain():
    assert shared_places(chain("RELU", "LOGISTIC", "RESHAPE")) == {1: 0, 2: 0, 3: 0}


def test_an_input_that_is_read_later_keeps_its_place():
    graph = chain("RELU", "CONV_2D")
    later = dataclasses.replace(graph.operators[1], kind="ADD", inputs=(1, 0))
    read_later = dataclasses.replace(graph, operators=(graph.operators[0], later))
    # The sum may take the place of what the ReLU made, not the ReLU's that of its input.
    assert shared_places(read_later) == {2: 1}


def test_an_output_of_the_model_is_not_written_over():
    assert shared_places(chain("CONV_2D", "RELU", outputs=(1, 2))) == {}


def test_a_copy_shares_its_source_even_where_both_are_read_later():
    graph = chain("RESHAPE", "CONV_2D", outputs=(0, 2))
    assert shared_places(graph) == {1: 0}


def test_a_copy_is_not_written_over_while_its_source_is_needed():
    assert shared_places(chain("RESHAPE", "RELU", outputs=(0, 2))) == {1: 0}


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": (1, 4, 8)},
        {"bits": 32, "dtype": "float32"},
        {"is_constant": True},
        {"is_variable": True},
    ],
)
def test_only_an_activation_of_the_same_shape_and_width_is_written_over(changed):
    graph = chain("CONV_2D", "RELU")
    tensors = list(graph.tensors)
    tensors[1] = dataclasses.replace(tensors[1], **changed)
    assert shared_places(dataclasses.replace(graph, tensors=tuple(tensors))) == {}


def test_a_broadcast_input_in_the_same_place_forbids_it():
    tensors = (Tensor("x", (1, 64)), Tensor("r", (64, 1)), Tensor("y", (64, 64)))
    operators = (Operator(0, "RESHAPE", (0,), (1,)), Operator(1, "ADD", (0, 1), (2,)))
    assert shared_places(Graph("outer", tensors, operators, (0,), (2,))) == {1: 0}


def test_one_buffer_stands_for_all_that_share_a_place_and_one_for_all_scratch():
    graph = chain("CONV_2D", "RELU", "CONV_2D")
    scratch = [ScratchRequest(0, 10), ScratchRequest(0, 20), ScratchRequest(2, 0)]
    assert room_buffers(graph, scratch, shared_places(graph)) == (
        Buffer(0, 64, 0, 1),
        Buffer(1, 64, 1, 3),
        Buffer(3, 64, 3, 3),
        Buffer(None, 16 + 32, 1, 1),
    )
