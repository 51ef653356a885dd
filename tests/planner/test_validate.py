import pytest

from mcuprune.errors import PlanError
from mcuprune.planner.greedy import MemoryPlan
from mcuprune.planner.lifetimes import Buffer
from mcuprune.planner.validate import validate_plan


def failure_of(buffers, offsets):
    with pytest.raises(PlanError) as caught:
        validate_plan(MemoryPlan(tuple(buffers), tuple(offsets)))
    return caught.value.failure


def test_accepts_neighbours_in_space_and_in_time():
    validate_plan(
        MemoryPlan((Buffer(0, 32, 0, 1), Buffer(1, 16, 1, 2), Buffer(2, 64, 2, 3)), (0, 32, 48))
    )
    validate_plan(MemoryPlan((Buffer(0, 32, 0, 1), Buffer(1, 32, 2, 3)), (0, 0)))


@pytest.mark.parametrize(
    ("name", "buffers", "offsets"),
    [
        ("overlap", [Buffer(0, 32, 0, 1), Buffer(1, 32, 1, 2)], [0, 16]),
        ("overlap", [Buffer(0, 64, 0, 5), Buffer(1, 16, 2, 3)], [0, 32]),
        ("negative", [Buffer(0, 32, 0, 1)], [-16]),
        ("alignment", [Buffer(0, 32, 0, 1)], [8]),
        ("alignment", [Buffer(0, 30, 0, 1)], [0]),
        ("lifetime", [Buffer(0, 32, 2, 1)], [0]),
        ("count", [Buffer(0, 32, 0, 1)], [0, 32]),
        ("moved", [Buffer(0, 32, 0, 1, offline_offset_bytes=64)], [0]),
    ],
)
def test_names_the_failure(name, buffers, offsets):
    assert failure_of(buffers, offsets) == name
