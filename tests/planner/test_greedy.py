import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.planner.greedy import greedy_plan
from mcuprune.planner.lifetimes import Buffer
from mcuprune.planner.validate import validate_plan


@st.composite
def random_buffers(draw):
    count = draw(st.integers(1, 25))
    made = []
    for tensor in range(count):
        first = draw(st.integers(0, 12))
        last = draw(st.integers(first, 12))
        made.append(Buffer(tensor, 16 * draw(st.integers(1, 40)), first, last))
    return made


@given(random_buffers())
def test_plan_is_valid_and_not_below_the_largest_working_set(buffers):
    plan = greedy_plan(buffers)
    validate_plan(plan)
    busiest = max(
        sum(b.size_bytes for b in buffers if b.first_step <= step <= b.last_step)
        for step in range(13)
    )
    assert busiest <= plan.size_bytes <= sum(b.size_bytes for b in buffers)


def test_buffers_never_in_use_together_share_the_start():
    plan = greedy_plan(
        [Buffer(0, 16, 0, 1), Buffer(1, 32, 2, 3), Buffer(2, 48, 4, 5), Buffer(3, 64, 6, 7)]
    )
    assert plan.offsets_bytes == (0, 0, 0, 0)
    assert plan.size_bytes == 64


def test_overlapping_buffers_stack_by_size():
    plan = greedy_plan([Buffer(0, 16, 0, 1), Buffer(1, 48, 1, 2), Buffer(2, 32, 1, 3)])
    assert plan.offsets_bytes == (48 + 32, 0, 48)


def test_lifetimes_are_inclusive_at_both_ends():
    touching = greedy_plan([Buffer(0, 32, 0, 3), Buffer(1, 16, 3, 4)])
    assert touching.offsets_bytes == (0, 32)
    apart = greedy_plan([Buffer(0, 32, 0, 3), Buffer(1, 16, 4, 5)])
    assert apart.offsets_bytes == (0, 0)


def test_of_equal_sizes_the_last_added_goes_first():
    plan = greedy_plan([Buffer(i, 16, 0, 0) for i in range(3)])
    assert plan.offsets_bytes == (32, 16, 0)


def test_fills_a_gap_of_exactly_its_size():
    # At step 2 only the 48 B at offset 64 are in use: the last buffer goes below them.
    plan = greedy_plan([Buffer(0, 64, 0, 1), Buffer(1, 48, 1, 2), Buffer(2, 32, 2, 3)])
    assert plan.offsets_bytes == (0, 64, 0)


def test_prescribed_offsets_come_first_and_stay():
    plan = greedy_plan([Buffer(0, 64, 0, 1), Buffer(1, 16, 0, 1, offline_offset_bytes=32)])
    assert plan.offsets_bytes == (48, 32)
    validate_plan(plan)


def test_no_buffers_need_no_arena():
    assert greedy_plan([]).size_bytes == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_order_of_adding_does_not_matter_for_distinct_sizes(order):
    made = [Buffer(0, 16, 0, 3), Buffer(1, 32, 1, 2), Buffer(2, 64, 2, 3)]
    plan = greedy_plan([made[i] for i in order])
    offsets = {b.tensor: o for b, o in zip(plan.buffers, plan.offsets_bytes, strict=True)}
    assert offsets == {2: 0, 1: 64, 0: 96}
