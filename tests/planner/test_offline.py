import dataclasses

import pytest
from branching_graphs import all_orders, branching_graphs, two_branches
from hypothesis import given, settings
from random_buffers import smallest_by_trying

from mcuprune.planner.greedy import greedy_plan
from mcuprune.planner.in_place import room_buffers, shared_places
from mcuprune.planner.lifetimes import ScratchRequest, buffers
from mcuprune.planner.offline import plan_offline, planned_graph
from mcuprune.planner.order import reordered
from mcuprune.planner.overwrites import require_intact


def smallest_of_all(graph):
    heads = []
    for order in all_orders(graph):
        moved = reordered(graph, order)
        for place in ({}, shared_places(moved)):
            heads.append(smallest_by_trying(room_buffers(moved, (), place)))
    return min(heads)


@given(branching_graphs(most=4))
@settings(max_examples=50)
def test_plans_are_the_smallest_of_all_orders_and_places(graph):
    check_smallest(graph)


@pytest.mark.slow
@given(branching_graphs(most=5))
@settings(max_examples=150)
def test_plans_of_more_operators_are_the_smallest_too(graph):
    check_smallest(graph)


def check_smallest(graph):
    plan = plan_offline(graph)
    assert plan.head_bytes == smallest_of_all(graph)
    assert plan.head_bytes <= greedy_plan(buffers(graph)).size_bytes
    planned = planned_graph(graph, plan)
    assert greedy_plan(buffers(planned)).size_bytes == plan.head_bytes
    if plan.offsets_bytes is not None:
        require_intact(planned, plan.offsets_bytes)


@given(branching_graphs(most=4))
@settings(max_examples=40)
def test_the_bound_is_no_larger_than_what_is_possible(graph):
    plan = plan_offline(graph, time_limit_s=0)
    assert plan.lower_bound_bytes <= smallest_of_all(graph) <= plan.head_bytes


@given(branching_graphs(most=5))
@settings(max_examples=30)
def test_planning_a_planned_graph_changes_nothing(graph):
    plan = plan_offline(graph)
    again = plan_offline(planned_graph(graph, plan))
    assert again.head_bytes == plan.head_bytes
    assert again.offsets_bytes is None


def test_order_and_places_can_be_kept():
    graph = two_branches()
    assert plan_offline(graph).head_bytes == 192
    assert plan_offline(graph).is_reordered
    # The largest working set of the given order, 160 + 160 + 16.
    kept = plan_offline(graph, reorder=False, in_place=False)
    assert (kept.head_bytes, kept.is_reordered, kept.proven) == (336, False, True)


def test_scratch_finds_its_room_around_the_plan():
    scratch = [ScratchRequest(2, 32), ScratchRequest(2, 48), ScratchRequest(4, 16)]
    plan = plan_offline(two_branches(), scratch)
    # Operator 2 reads 160 B and writes 16 B beside x (16 B) and its scratch (80 B).
    assert plan.head_bytes == 160 + 16 + 16 + 80
    assert plan.proven


def test_a_plan_that_the_file_brings_is_kept_where_none_is_smaller():
    graph = two_branches()
    found = plan_offline(graph)
    brought = dataclasses.replace(
        reordered(graph, found.operators), offline_offsets=found.offsets_bytes
    )
    assert plan_offline(brought).saved_bytes == 0
    wasteful = tuple(offset + 4096 for offset in found.offsets_bytes)
    worse = dataclasses.replace(brought, offline_offsets=wasteful)
    assert plan_offline(worse).saved_bytes == 4096
