"""Soft numbers: exact at whole widths, and slopes that are true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.rounding import align_up
from mcuprune.cost.soft import Soft

FLOATS = st.floats(-100, 100)


def formula(a, b):
    return (a * b + 3 * a - b * 2) / 4 + a * a - 7


@given(FLOATS, FLOATS)
def test_slopes_equal_the_derivatives_by_hand(a: float, b: float) -> None:
    found = formula(Soft.width("a", a), Soft.width("b", b))
    assert found.value == pytest.approx(formula(a, b), abs=1e-9)
    assert found.slopes["a"] == pytest.approx((b + 3) / 4 + 2 * a, abs=1e-9)
    assert found.slopes["b"] == pytest.approx((a - 2) / 4, abs=1e-9)


def test_rounding_up_is_exact_in_value_and_straight_through_in_slope() -> None:
    rounded = align_up(Soft.width("a", 17.0) * 2, 16)
    assert rounded == Soft(48.0, {"a": 2.0})
    assert align_up(Soft.width("a", 16.0), 16).value == 16.0
