import pytest
from hypothesis import given, settings
from random_buffers import buffer_lists, load, smallest_by_trying

from mcuprune.cost.scratch import scratch_requests
from mcuprune.errors import InputError, PlanError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.planner.branch_and_bound import Effort, OutOfTime, plan_within
from mcuprune.planner.greedy import greedy_plan
from mcuprune.planner.lifetimes import Buffer, buffers
from mcuprune.planner.optimal import optimal_plan
from mcuprune.planner.packing import packing_of
from mcuprune.planner.validate import validate_plan


def endless():
    return Effort(lambda: True, 10**6)


@given(buffer_lists(most=6, prescribed=True))
@settings(max_examples=200)
def test_few_buffers_get_the_smallest_plan_and_its_proof(made):
    plan = optimal_plan(made)
    assert plan.size_bytes == smallest_by_trying(made)
    assert plan.proven
    validate_plan(plan)


@given(buffer_lists(most=6, prescribed=True))
@settings(max_examples=100)
def test_search_finds_a_plan_at_the_smallest_height_and_none_below(made):
    smallest = smallest_by_trying(made)
    packing = packing_of(made)
    found = plan_within(packing, smallest, endless())
    assert found is not None
    assert packing.height_bytes(found) <= smallest
    assert plan_within(packing, smallest - 16, endless()) is None


@given(buffer_lists(most=30, steps=15))
@settings(max_examples=60)
def test_never_above_greedy_nor_below_the_load(made):
    plan = optimal_plan(made, time_limit_s=0.2)
    validate_plan(plan)
    assert load(made) <= plan.lower_bound_bytes <= plan.size_bytes <= greedy_plan(made).size_bytes


@given(buffer_lists(most=25, steps=12))
@settings(max_examples=40)
def test_without_time_the_best_quick_plan_comes_with_a_bound(made):
    plan = optimal_plan(made, time_limit_s=0, node_limit=0)
    assert load(made) <= plan.lower_bound_bytes <= plan.size_bytes <= greedy_plan(made).size_bytes
    assert plan.gap_bytes == plan.size_bytes - plan.lower_bound_bytes


def test_a_bound_above_the_load_is_proven():
    # 48 B are in use, but the 32 B fit neither below nor above the prescribed 16 B within 48.
    plan = optimal_plan([Buffer(0, 16, 0, 1, offline_offset_bytes=16), Buffer(1, 32, 0, 1)])
    assert (plan.size_bytes, plan.lower_bound_bytes, plan.proven) == (64, 64, True)
    assert plan.offsets_bytes == (16, 32)


def test_no_buffers_need_no_arena():
    plan = optimal_plan([])
    assert (plan.size_bytes, plan.proven) == (0, True)


def test_the_search_stops_when_its_steps_are_spent():
    made = [Buffer(i, 16 * (5 + i % 7), i % 5, i % 5 + 3) for i in range(40)]
    with pytest.raises(OutOfTime):
        plan_within(packing_of(made), load(made), Effort(lambda: True, 3))


@pytest.mark.parametrize(
    ("failure", "made"),
    [
        ("lifetime", [Buffer(0, 16, 2, 1)]),
        ("alignment", [Buffer(0, 30, 0, 1)]),
        ("alignment", [Buffer(0, 16, 0, 1, offline_offset_bytes=8)]),
        (
            "overlap",
            [
                Buffer(0, 32, 0, 1, offline_offset_bytes=0),
                Buffer(1, 32, 1, 2, offline_offset_bytes=16),
            ],
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(failure, made):
    with pytest.raises(PlanError) as caught:
        optimal_plan(made)
    assert caught.value.failure == failure


def test_negative_limits_are_refused():
    with pytest.raises(InputError, match="0 or larger"):
        optimal_plan([], time_limit_s=-1)


def test_visual_wake_words_reaches_its_largest_working_set(shared):
    graph = read_tflite(shared / "models/mlperf_tiny/vww_96_int8.tflite")
    placed = buffers(graph, scratch_requests(graph))
    assert greedy_plan(placed).size_bytes == 73_728
    plan = optimal_plan(placed)
    assert (plan.size_bytes, plan.proven) == (55_296, True)
