import pytest
from branching_graphs import all_orders, branching_graphs, two_branches, working_set
from hypothesis import given, settings
from hypothesis import strategies as st

from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import ScratchRequest
from mcuprune.planner.order import best_order, is_movable, is_only_order, reordered


def test_one_branch_after_the_other_needs_less_than_both_at_once():
    # Both wide tensors and a narrow one at the third operator: 160 + 160 + 16.
    assert working_set(two_branches(), range(5), in_place=False) == 336
    order = best_order(two_branches())
    # A wide tensor beside x, or beside x and the first branch's result: 160 + 16 + 16.
    assert (order.peak_bytes, order.lower_bound_bytes) == (192, 192)
    assert order.operators == (0, 2, 1, 3, 4)


@given(branching_graphs(), st.booleans())
@settings(max_examples=150)
def test_no_order_beats_the_best(graph, in_place):
    peaks = [working_set(graph, order, in_place) for order in all_orders(graph)]
    order = best_order(graph, in_place=in_place)
    assert order.peak_bytes == order.lower_bound_bytes == min(peaks)
    assert working_set(graph, order.operators, in_place) == order.peak_bytes
    assert is_only_order(graph) == (len(peaks) == 1)


@given(branching_graphs())
@settings(max_examples=50)
def test_a_narrow_search_is_never_worse_than_the_given_order(graph):
    order = best_order(graph, state_limit=0)
    given_order = working_set(graph, range(len(graph.operators)), in_place=True)
    assert order.lower_bound_bytes <= order.peak_bytes <= given_order
    assert working_set(graph, order.operators, in_place=True) == order.peak_bytes


def test_scratch_memory_moves_with_its_operator():
    scratch = [ScratchRequest(0, 32), ScratchRequest(3, 64)]
    order = best_order(two_branches(), scratch)
    assert order.peak_bytes == working_set(two_branches(), order.operators, True, scratch)
    # Operator 3 reads 160 B and writes 16 B beside the other branch's 16 B and its 64 B.
    assert order.peak_bytes == 160 + 16 + 16 + 64


@pytest.mark.parametrize("kind", ["ethos-u", "WHILE", "CALL_ONCE"])
def test_control_flow_and_custom_operators_keep_the_order(kind):
    graph = two_branches(first_kind=kind)
    assert not is_movable(graph)
    assert best_order(graph).operators == (0, 1, 2, 3, 4)


def test_operators_with_state_keep_their_order_among_themselves():
    graph = two_branches()
    state = Tensor("state", (1, 16), is_variable=True)
    operators = list(graph.operators)
    for index in (1, 2):
        operators[index] = Operator(index, "SVDF", (*operators[index].inputs, 6), (index + 1,))
    stateful = Graph("state", (*graph.tensors, state), tuple(operators), (0,), (5,))
    found = best_order(stateful).operators
    assert found.index(1) < found.index(2)


def test_reordered_operators_are_numbered_by_their_place():
    moved = reordered(two_branches(), (0, 2, 1, 3, 4))
    assert [op.index for op in moved.operators] == [0, 1, 2, 3, 4]
    assert moved.operators[1].inputs == (1,)
