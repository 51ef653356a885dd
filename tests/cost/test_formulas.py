"""Polynomials as arrays against the same polynomials one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.formulas import Formulas
from mcuprune.ir.dim import Dim, align_up, ceil_div

A, B, C = (Dim.width(name) for name in "abc")
NESTED = align_up(align_up(A * 3 + 1, 8) + B * 5, 16) * C + 2
EXTENTS = [A * B * C * 9 + A * A + 3, 12, NESTED, ceil_div(A, 4) + ceil_div(A, 4), Dim(7)]


@given(st.tuples(*[st.integers(1, 300)] * 3))
def test_whole_widths_give_the_exact_numbers(widths) -> None:
    by_name = dict(zip("abc", widths, strict=True))
    results = Formulas(EXTENTS, "abc").at(np.array(widths, float)).results
    assert results.tolist() == [(extent + Dim()).at(by_name) for extent in EXTENTS]


def test_slopes_by_hand() -> None:
    """2abc + a**2, its derivatives (2bc + 2a, 2ac, 2ab)."""
    values = Formulas([A * B * C * 2, A * A], "abc").at(np.array([3.0, 5.0, 7.0]))
    assert values.slopes(np.array([1.0, 1.0])).tolist() == [76.0, 42.0, 30.0]
    assert values.slopes(np.array([0.0, 10.0])).tolist() == [60.0, 0.0, 0.0]


def test_slopes_pass_through_what_is_rounded() -> None:
    values = Formulas([NESTED], "abc").at(np.array([10.0, 2.0, 3.0]))
    rounded = 48.0  # 31 up to 32, with 10 more up to 48
    assert values.results[0] == rounded * 3 + 2
    assert values.slopes(np.array([1.0])).tolist() == pytest.approx([3 * 3, 5 * 3, rounded])


def test_of_no_numbers_nothing_is_asked() -> None:
    assert Formulas([], "ab").at(np.array([1.0, 2.0])).results.shape == (0,)
