import numpy as np
import pytest

from mcuprune.pruning.widths import (
    gates_for,
    marginal_worth,
    most_important,
    moved,
    worth_of_widths,
)


def test_marginal_worth_of_a_channel_that_matters_little() -> None:
    # At width 2 of shares 0.6, 0.3, 0.1: 2 * 0.1 / 0.9.
    assert marginal_worth(np.array([0.3, 0.1, 0.6]), 2.0) == pytest.approx(2 * 0.1 / 0.9 + 1 / 2)


def test_marginal_worth_between_whole_widths() -> None:
    # At width 1.5: 1.5 * 0.3 / (0.6 + 0.5 * 0.3).
    assert marginal_worth(np.array([0.3, 0.1, 0.6]), 1.5) == pytest.approx(
        1.5 * 0.3 / 0.75 + 1 / 1.5
    )


@pytest.mark.parametrize(
    ("force", "expected"), [(0.5, 10.1), (5.0, 10.2), (-5.0, 9.8), (0.0, 10.0)]
)
def test_a_move_is_bounded(force: float, expected: float) -> None:
    assert moved(10.0, force, rate=0.02, floor=1.0, full=16.0) == pytest.approx(expected)


def test_a_move_stays_between_floor_and_full_width() -> None:
    assert moved(16.0, 1.0, rate=0.02, floor=1.0, full=16.0) == 16.0
    assert moved(4.0, -1.0, rate=0.02, floor=4.0, full=16.0) == 4.0


def test_gates_open_by_rank_with_one_ajar_at_the_margin() -> None:
    shares = np.array([0.1, 0.4, 0.2, 0.3])
    gates = gates_for(shares, 2.25, before=np.ones(4), most=1.0)
    assert gates == pytest.approx([0.0, 1.0, 0.25, 1.0])


def test_a_gate_closes_over_several_moves() -> None:
    gates = gates_for(np.array([0.9, 0.1]), 1.0, before=np.ones(2), most=0.1)
    assert gates == pytest.approx([1.0, 0.9])


def test_wider_open_gates_are_kept_before_more_important_channels() -> None:
    kept = most_important(
        {"a": np.array([1.0, 0.2, 1.0, 0.9])}, {"a": np.array([0.1, 0.6, 0.2, 0.1])}, {"a": 2}
    )
    assert kept["a"].tolist() == [0, 2]


def test_marginal_worth_is_the_slope_of_the_worth() -> None:
    shares = np.full(64, 1 / 64)
    slope = (worth_of_widths(shares)[32] - worth_of_widths(shares)[30]) / np.log(33 / 31)
    assert marginal_worth(shares, 32.0) == pytest.approx(slope, rel=1e-3)


def test_the_last_channels_of_a_narrow_group_are_dear() -> None:
    worth = worth_of_widths(np.full(40, 1 / 40))
    assert worth[1] - worth[0] > 1.1  # from two to one
    assert worth[39] - worth[19] < 0.8  # from forty to twenty
