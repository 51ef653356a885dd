"""Integer arithmetic against real numbers and gemmlowp's roundings, written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.codegen.fixed_point import (
    Multiplier,
    doubling_high_product,
    exp_of_negative,
    logistic,
    quantized_multiplier,
    rounding_shift,
    tanh,
    wrapped,
)

int32s = st.integers(-(2**31), 2**31 - 1)


@pytest.mark.parametrize(
    ("real", "factor", "shift"),
    [
        (0.0, 0, 0),
        (1.0, 2**30, 1),
        (0.5, 2**30, 0),
        (0.75, 3 * 2**29, 0),
        # So close to 1 that the factor is rounded up to 2**31, which is halved.
        (1 - 2**-40, 2**30, 1),
        # Too small for any shift.
        (2.0**-33, 0, 0),
    ],
)
def test_multipliers(real, factor, shift):
    assert quantized_multiplier(real) == Multiplier(factor, shift)


@given(st.floats(2**-20, 1000.0), st.integers(-(2**15), 2**15))
def test_products_are_within_one_of_the_real_one(real, value):
    assert abs(quantized_multiplier(real).apply(value) - real * value) <= 1 + abs(value) * 2e-6


@given(int32s, int32s)
def test_high_products_round_halves_up(one, other):
    # gemmlowp adds a nudge by sign and truncates: the nearest, halves towards plus infinity.
    exact = one * other
    nudge = 2**30 if exact >= 0 else 1 - 2**30
    truncated = int(math.copysign(abs(exact + nudge) // 2**31, exact + nudge))
    assert doubling_high_product(one, other) == min(truncated, 2**31 - 1)


@given(int32s, st.integers(0, 31))
def test_shifts_round_halves_away_from_zero(value, bits):
    mask = (1 << bits) - 1
    threshold = (mask >> 1) + (value < 0)
    assert rounding_shift(value, bits) == (value >> bits) + ((value & mask) > threshold)


@given(st.integers(-(2**40), 2**40))
def test_registers_wrap(value):
    assert wrapped(value) == np.array([value], np.int64).astype(np.int32)[0]


@given(st.floats(-15.9, 0.0))
def test_exponentials(real):
    assert exp_of_negative(int(real * 2**26)) / 2**31 == pytest.approx(math.exp(real), abs=1e-6)


@given(st.floats(-7.9, 7.9))
def test_logistic_and_tanh(real):
    raw = int(real * 2**27)
    assert logistic(raw) / 2**31 == pytest.approx(1 / (1 + math.exp(-real)), abs=1e-6)
    assert tanh(raw) / 2**31 == pytest.approx(math.tanh(real), abs=1e-6)
