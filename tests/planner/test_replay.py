import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.errors import PlanError
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.greedy import greedy_plan
from mcuprune.planner.lifetimes import ScratchRequest, buffers, lifetimes
from mcuprune.planner.replay import replay
from mcuprune.planner.schedule import (
    SRAM,
    Block,
    Compute,
    Free,
    Keep,
    Move,
    Schedule,
    Slice,
    whole_operator_schedule,
)
from mcuprune.planner.validate import validate_plan


def residual_graph() -> Graph:
    """x (32) -> a (64) -> b (32); x + b -> y (32)."""
    sizes = {"x": 32, "a": 64, "b": 32, "y": 32}
    tensors = tuple(Tensor(name, (1, size)) for name, size in sizes.items())
    operators = (
        Operator(0, "CONV_2D", (0,), (1,)),
        Operator(1, "CONV_2D", (1,), (2,)),
        Operator(2, "ADD", (0, 2), (3,)),
    )
    return Graph("residual", tensors, operators, (0,), (3,))


@st.composite
def random_graphs(draw):
    """Chains with skips: every operator reads one or two earlier tensors."""
    count = draw(st.integers(1, 10))
    tensors = [Tensor("t0", (1, draw(st.integers(1, 200))))]
    operators = []
    for index in range(count):
        reads = draw(st.lists(st.integers(0, index), min_size=1, max_size=2))
        tensors.append(Tensor(f"t{index + 1}", (1, draw(st.integers(1, 200)))))
        operators.append(Operator(index, "ADD", tuple(reads), (index + 1,)))
    return Graph("random", tuple(tensors), tuple(operators), (0,), (count,))


def test_counts_bytes_of_a_residual_block():
    result = replay(residual_graph(), whole_operator_schedule(residual_graph()))
    assert [m.held_bytes[SRAM] for m in result.moments] == [32 + 64, 32 + 64 + 32, 32 + 32 + 32]
    assert result.peak_bytes == {SRAM: 128}


def test_counts_scratch_only_while_its_operator_runs():
    scratch = [ScratchRequest(1, 20), ScratchRequest(1, 1)]
    result = replay(residual_graph(), whole_operator_schedule(residual_graph(), scratch))
    assert [m.held_bytes[SRAM] for m in result.moments] == [96, 128 + 32 + 16, 96]


@given(random_graphs())
def test_peak_is_the_largest_working_set_and_bounds_the_plan(graph):
    peak = replay(graph, whole_operator_schedule(graph)).peak_bytes[SRAM]
    by_hand = max(
        sum(
            -(-graph.tensors[life.tensor].size_bytes // 16) * 16
            for life in lifetimes(graph)
            if life.first_step <= operator.index + 1 <= life.last_step
        )
        for operator in graph.operators
    )
    plan = greedy_plan(buffers(graph))
    validate_plan(plan)
    assert peak == by_hand
    assert plan.size_bytes >= peak


def changed(drop=None, add=None, outputs=None, capacity=()):
    schedule = whole_operator_schedule(residual_graph())
    events = [event for event in schedule.events if event != drop]
    events += [] if add is None else [add]
    outputs = schedule.outputs if outputs is None else outputs
    return dataclasses.replace(
        schedule, events=tuple(events), outputs=outputs, capacity_bytes=capacity
    )


@pytest.mark.parametrize(
    ("failure", "schedule"),
    [
        ("absent", changed(drop=Keep(Block(1), 64))),
        ("absent", changed(add=Free(Block(1)))),
        ("absent", changed(add=Move(Block(1), SRAM, "psram"))),
        ("present", changed(add=Keep(Block(3), 32))),
        ("skipped", changed(drop=Compute(2, (Block(0), Block(2)), (Block(3),)))),
        ("empty", changed(drop=Compute(0, (Block(0),), (Block(1),)))),
        ("output", changed(outputs=(Block(1),))),
        ("capacity", changed(capacity=((SRAM, 127),))),
        (
            "unread",
            Schedule(
                (Keep(Block(1), 64), Compute(0, (), (Block(1),))),
                (),
            ),
        ),
    ],
)
def test_refuses(failure, schedule):
    with pytest.raises(PlanError) as caught:
        replay(residual_graph(), schedule)
    assert caught.value.failure == failure


def test_slices_and_a_second_memory_need_no_new_kind_of_event():
    graph = Graph(
        "two slices",
        (Tensor("x", (1, 2, 32)), Tensor("y", (1, 2, 32))),
        (Operator(0, "RELU", (0,), (1,)),),
        (0,),
        (1,),
    )
    halves = [Slice(1, 0, 1), Slice(1, 1, 2)]
    events = [Keep(Block(0, half), 32, memory="psram", is_filled=True) for half in halves]
    for half in halves:
        events += [
            Move(Block(0, half), "psram", SRAM),
            Keep(Block(1, half), 32),
            Compute(0, (Block(0, half),), (Block(1, half),)),
            Free(Block(0, half)),
        ]
    outputs = tuple(Block(1, half) for half in halves)
    result = replay(graph, Schedule(tuple(events), outputs))
    assert result.peak_bytes == {"psram": 64, SRAM: 96}
