"""Open numbers: the same arithmetic as with ints, whatever the widths are."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.ir.dim import Dim, align_up, ceil_div, is_more_than, is_multiple
from mcuprune.ir.graph import Tensor

A, B = Dim.width("a"), Dim.width("b")
FACTORS = st.integers(-20, 20)
WIDTHS = st.fixed_dictionaries({"a": st.integers(1, 64), "b": st.integers(1, 64)})


def formula(a, b, i, j, k):
    return (a * i + b * j + k) * (a + j) * b + a * a + 7


@given(WIDTHS, FACTORS, FACTORS, FACTORS)
def test_a_polynomial_is_what_ints_give(widths, i, j, k) -> None:
    by_hand = formula(widths["a"], widths["b"], i, j, k)
    assert (formula(A, B, i, j, k) + Dim()).at(widths) == by_hand


@given(WIDTHS, FACTORS, FACTORS, FACTORS, st.sampled_from([1, 4, 8, 16, 7]))
def test_rounding_up_inside_a_formula_is_what_ints_give(widths, i, j, k, divisor) -> None:
    def rounded(a, b):
        return align_up(a * i + ceil_div(b * j + k, divisor) * b, 16) + ceil_div(a * b * k, divisor)

    a, b = widths["a"], widths["b"]
    # In floats, which are exact for numbers of this size.
    inner = math.ceil((b * j + k) / divisor) * b
    by_hand = math.ceil((a * i + inner) / 16) * 16 + math.ceil(a * b * k / divisor)
    assert (rounded(A, B) + Dim()).at(widths) == by_hand


def test_the_order_of_addition_and_multiplication_does_not_matter() -> None:
    terms = [A * B, B * A * 3, A * 2, Dim(5), A * -2]
    sums = [sum(order, start=Dim()) for order in itertools.permutations(terms)]
    assert set(sums) == {A * B * 4 + 5}


def test_what_cancels_leaves_a_number() -> None:
    assert sum([A * 3, A * -3, 2]) == Dim(2)
    assert not (A * 0).terms


def test_names_are_those_of_all_that_is_rounded_too() -> None:
    assert (align_up(A * 3 + 1, 16) * 2 + B).names == ("a", "b")


@pytest.mark.parametrize("limit", [1, 16])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 17, 4096])
def test_more_than_a_limit(count: int, limit: int) -> None:
    found = is_more_than(count, limit), is_more_than(A, limit).at({"a": count})
    assert found == (int(count > limit),) * 2


@pytest.mark.parametrize("count", [0, 1, 4, 6, 7, 4096])
def test_multiples(count: int) -> None:
    expected = int(count % 4 == 0)
    assert is_multiple(count, 4) == is_multiple(A, 4).at({"a": count}) == expected
    assert is_multiple(A * 2, 4).at({"a": count}) == int(count % 2 == 0)


def test_what_divides_whatever_the_widths_is_known() -> None:
    assert is_multiple(A * 8 + B * 4, 4) == 1
    assert is_multiple(A * 8 + 2, 4) == 0


def test_tensors_of_half_bytes_take_whole_bytes() -> None:
    weights = Tensor("w", (A, 3), bits=4, dtype="int4")
    assert weights.size_bytes.at({"a": 5}) == 8  # 15 half bytes
    assert Tensor("w", (5, 3), bits=4, dtype="int4").size_bytes == 8
