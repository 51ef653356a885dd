"""The integer arithmetic of TFLite's kernels, done while code is generated.

Sources: tensorflow/lite/kernels/internal/quantization_util.cc and common.cc (tflite-micro 90b983c),
and gemmlowp's fixedpoint.h for numbers in Q notation: the raw int32 ``r`` with ``k`` integer bits
stands for ``r / 2**(31 - k)``.
"""

from __future__ import annotations

import dataclasses
import math

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
# Kernels shift 32-bit numbers: more would leave nothing of any.
MAX_SHIFT = 31


class MultiplierRangeError(ValueError):
    """A real number is too large to be applied by kernels; the message names it."""


@dataclasses.dataclass(frozen=True)
class Multiplier:
    """A positive real number as kernels apply it: ``factor / 2**31 * 2**shift``.

    Attributes:
        factor: 0, or from 2**30 to 2**31 - 1.
        shift: Exponent; negative shifts to the right.
    """

    factor: int
    shift: int

    def apply(self, value: int) -> int:
        """Return the product, rounded twice as ``MultiplyByQuantizedMultiplier`` does.

        >>> Multiplier(2**30, 0).apply(5), Multiplier(2**30, 0).apply(-5)
        (3, -2)
        """
        left = wrapped(value << max(self.shift, 0))
        return rounding_shift(doubling_high_product(left, self.factor), max(-self.shift, 0))


def quantized_multiplier(real: float) -> Multiplier:
    """Return what ``QuantizeMultiplier`` makes of a real number.

    Args:
        real: 0 or positive.

    Raises:
        MultiplierRangeError: It is ``2**31`` or more, or no number.

    >>> quantized_multiplier(0.75)
    Multiplier(factor=1610612736, shift=0)
    """
    if not real < 2.0**MAX_SHIFT:
        raise MultiplierRangeError(
            f"its scales make a multiplier of {real:.3g}, kernels apply less than 2**{MAX_SHIFT}"
        )
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    # TfLiteRound rounds halves away from zero; the product is exact in a double.
    factor = math.floor(fraction * 2**31 + 0.5)
    if factor == 2**31:
        factor, shift = 2**30, shift + 1
    if shift < -31:
        return Multiplier(0, 0)
    return Multiplier(factor, shift)


def wrapped(value: int) -> int:
    """Return a number as an int32 register holds it."""
    return (value + 2**31) % 2**32 - 2**31


def saturated(value: int) -> int:
    """Return the nearest int32."""
    return min(max(value, INT32_MIN), INT32_MAX)


def doubling_high_product(one: int, other: int) -> int:
    """Return gemmlowp's ``SaturatingRoundingDoublingHighMul``: ``one * other / 2**31``, rounded."""
    return saturated((one * other + 2**30) >> 31)


def rounding_shift(value: int, bits: int) -> int:
    """Return gemmlowp's ``RoundingDivideByPOT``: halves are rounded away from zero.

    >>> rounding_shift(5, 1), rounding_shift(-5, 1)
    (3, -3)
    """
    if bits == 0:
        return value
    return (value + (1 << (bits - 1)) - (value < 0)) >> bits


def exp_of_negative(value: int, integer_bits: int = 5) -> int:
    """Return gemmlowp's ``exp_on_negative_values``.

    Args:
        value: 0 or negative.
        integer_bits: Its integer bits, up to 5.

    Returns:
        The exponential, no integer bits.

    >>> exp_of_negative(0)
    2147483647
    """
    if value == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (value & (quarter - 1)) - quarter
    result = _exp_near_zero(saturated(rest << integer_bits))
    remainder = rest - value
    for exponent, factor in _EXP_FACTORS:
        if integer_bits > exponent and remainder & (1 << (fraction_bits + exponent)):
            result = doubling_high_product(result, factor)
    return result


# exp(-2**exponent), no integer bits: the constants of exp_on_negative_values.
_EXP_FACTORS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
_EXP_OF_MINUS_EIGHTH = 1895147668
_THIRD = 715827883


def _exp_near_zero(value: int) -> int:
    """``exp_on_interval_between_negative_one_quarter_and_0_excl``: a Taylor series at -1/8."""
    x = value + (1 << 28)
    x2 = doubling_high_product(x, x)
    x3 = doubling_high_product(x2, x)
    x4 = doubling_high_product(x2, x2)
    series = doubling_high_product(rounding_shift(x4, 2) + x3, _THIRD) + x2
    series = rounding_shift(series, 1)
    return saturated(_EXP_OF_MINUS_EIGHTH + doubling_high_product(_EXP_OF_MINUS_EIGHTH, x + series))


# 48/17 and -32/17 with 2 integer bits: the start of Newton's iteration.
_NEWTON_CONSTANT, _NEWTON_SLOPE = 1515870810, -1010580540


def _reciprocal_of_half_sum(value: int) -> int:
    """Return ``2 / (1 + value)`` with 2 integer bits; ``value`` from 0 to 1 without."""
    half = (value + INT32_MAX + 1) >> 1
    x = _NEWTON_CONSTANT + doubling_high_product(half, _NEWTON_SLOPE)
    for _ in range(3):
        rest = (1 << 29) - doubling_high_product(half, x)
        x += saturated(doubling_high_product(x, rest) << 2)
    return x


def logistic(value: int) -> int:
    """Return gemmlowp's ``logistic``.

    Args:
        value: 4 integer bits.

    Returns:
        No integer bits.
    """
    if value == 0:
        return 1 << 30
    positive = saturated(_reciprocal_of_half_sum(exp_of_negative(-abs(value), 4)) << 1)
    return positive if value > 0 else INT32_MAX - positive


def tanh(value: int) -> int:
    """Return gemmlowp's ``tanh``.

    Args:
        value: 4 integer bits.

    Returns:
        No integer bits.
    """
    if value == 0:
        return 0
    # Twice the number is the same raw value with 5 integer bits.
    x = _reciprocal_of_half_sum(exp_of_negative(-abs(value), 5))
    magnitude = saturated((x - (1 << 29)) << 2)
    return magnitude if value > 0 else -magnitude
