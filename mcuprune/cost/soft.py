"""Numbers that carry their derivatives: the cost formulas at soft widths, without a tensor library.

Forward-mode differentiation over the widths of a network, of which there are few. One evaluation
of all resources takes milliseconds and needs no trace.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Soft:
    """A number and its derivatives by widths.

    Attributes:
        value: The number.
        slopes: Derivative by each width it depends on.

    >>> a, b = Soft.width("a", 3.0), Soft.width("b", 2.0)
    >>> a * b + 4 * a
    Soft(value=18.0, slopes={'a': 6.0, 'b': 3.0})
    """

    value: float
    slopes: Mapping[str, float]

    @staticmethod
    def width(name: str, value: float) -> Soft:
        """Return a width as a number that depends on itself alone."""
        return Soft(float(value), {name: 1.0})

    def __add__(self, other: Any) -> Soft:
        if not isinstance(other, Soft):
            return Soft(self.value + other, self.slopes)
        slopes = dict(self.slopes)
        for name, slope in other.slopes.items():
            slopes[name] = slopes.get(name, 0.0) + slope
        return Soft(self.value + other.value, slopes)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Soft:
        return self.__add__(-1 * other)

    def __mul__(self, other: Any) -> Soft:
        if not isinstance(other, Soft):
            return Soft(self.value * other, {n: s * other for n, s in self.slopes.items()})
        mine = Soft(self.value * other.value, {n: s * other.value for n, s in self.slopes.items()})
        return mine + Soft(0.0, {n: s * self.value for n, s in other.slopes.items()})

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Soft:
        return Soft(self.value / other, {n: s / other for n, s in self.slopes.items()})

    def rounded_up(self, multiple: int) -> Soft:
        """Round the value up to a multiple and keep the slopes (straight-through)."""
        return Soft(float(-(-self.value // multiple) * multiple), self.slopes)
