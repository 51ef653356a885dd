import numpy as np
import pytest

from mcuprune.pruning.penalty import CURVATURE, ascend, penalty


def at(width: float, target: float, multiplier: float) -> tuple[float, float]:
    """Penalty and derivative for two terms, 10 and 5 bytes per channel, and one that is fixed."""
    by_width = np.array([10.0, 5.0, 0.0])
    terms = {"sram": by_width * width + np.array([0.0, 0.0, 7.0])}
    value, slopes = penalty(terms, {"sram": target}, {"sram": multiplier})
    return value, float(slopes["sram"] @ by_width)


def test_within_the_target_the_penalty_and_its_gradient_are_zero() -> None:
    assert at(8.0, target=80.0, multiplier=3.0) == (0.0, 0.0)


def test_only_terms_over_the_target_are_priced() -> None:
    # First term 80/50: excess 0.6; second 40/50: none.
    value, slope = at(8.0, target=50.0, multiplier=3.0)
    assert value == pytest.approx(3.0 * 0.6 + CURVATURE / 2 * 0.36)
    assert slope == pytest.approx((3.0 + CURVATURE * 0.6) * 10 / 50)


def test_every_term_over_the_target_is_priced_not_only_the_largest() -> None:
    # Excesses 80/20 - 1 = 3 and 40/20 - 1 = 1.
    value, slope = at(8.0, target=20.0, multiplier=1.0)
    assert value == pytest.approx((3.0 + CURVATURE / 2 * 9) + (1.0 + CURVATURE / 2 * 1))
    assert slope == pytest.approx((1 + CURVATURE * 3) * 0.5 + (1 + CURVATURE * 1) * 0.25)


def test_multipliers_rise_while_over_and_fall_to_zero_while_under() -> None:
    assert ascend(1.0, 0.1, rate=2.0) == pytest.approx(1.2)
    assert ascend(1.0, -0.1, rate=2.0) == pytest.approx(0.8)
    assert ascend(0.1, -0.1, rate=2.0) == 0.0
