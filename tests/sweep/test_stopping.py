"""The rule is applied by hand: bound = best so far + largest gain + margin."""

from __future__ import annotations

import pytest

from mcuprune.sweep.front import Costs
from mcuprune.sweep.stopping import Course, dominating, highest_accuracy

SMALL, LARGE = Costs(1000, 5000, 100), Costs(3000, 9000, 900)
# Gains after two epochs: 0.90 - 0.80, 0.95 - 0.85, 0.97 - 0.90.
FINISHED = [
    Course(0, None, "tight", SMALL, 0.90, [0.70, 0.80, 0.88]),
    Course(1, None, "wide", LARGE, 0.95, [0.85, 0.80, 0.94]),
    Course(2, None, "widest", LARGE, 0.97, [0.80, 0.90, 0.96]),
]


def test_the_bound_takes_the_largest_gain():
    assert highest_accuracy([0.6, 0.5], FINISHED, 0.01) == pytest.approx(0.6 + 0.10 + 0.01)


def test_two_finished_trials_are_too_few():
    assert highest_accuracy([0.1, 0.1], FINISHED[:2], 0.0) is None
    short = [*FINISHED[:2], Course(3, None, "tight", SMALL, 0.9, [0.9])]
    assert highest_accuracy([0.1, 0.1], short, 0.0) is None


def test_stopped_if_one_no_larger_is_out_of_reach():
    # The bound is 0.71: trial 2, as large, has 0.97.
    found = dominating(None, "new", LARGE, [0.6, 0.5], FINISHED, 0.01)
    assert found is not None
    assert found.trial == 2


def test_not_stopped_where_it_may_still_get_there():
    # The bound is 0.98.
    assert dominating(None, "new", LARGE, [0.6, 0.87], FINISHED, 0.01) is None


def test_the_smallest_is_never_stopped():
    for less in (Costs(999, 5000, 100), Costs(1000, 4999, 100), Costs(1000, 5000, 99)):
        assert dominating(None, "new", less, [0.1, 0.1], FINISHED, 0.0) is None


def test_another_board_stops_nothing():
    assert dominating("nucleo-f446re", "new", LARGE, [0.1, 0.1], FINISHED, 0.0) is None


def test_seeds_do_not_stop_each_other():
    # Without trial 2, the most accurate, it is trial 1 that has more than 0.71.
    found = dominating(None, "widest", LARGE, [0.6, 0.5], FINISHED, 0.01)
    assert found is not None
    assert found.trial == 1
