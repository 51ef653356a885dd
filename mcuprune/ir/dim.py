"""Dimensions and sizes while the widths of coupling groups are open.

The structure of a network does not depend on its widths, only sizes do: a formula over open
dimensions therefore runs once and gives a polynomial, which can be evaluated at any widths
(:mod:`mcuprune.cost.formulas`). What is rounded up, to an alignment say, becomes a symbol of its
own in that polynomial.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, TypeAlias

# Above every width there is, so that a width less one, over it, rounds up to 0 or 1.
_ABOVE_ALL = 2**31


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """The smallest whole number that is at least ``argument / divisor``."""

    argument: Dim
    divisor: int

    def __str__(self) -> str:
        return f"ceil(({self.argument})/{self.divisor})"


# The name of a width, or something rounded up.
Symbol: TypeAlias = str | Ceiling
# A product of symbols, in the order of their texts.
Monomial: TypeAlias = tuple[Symbol, ...]


@dataclasses.dataclass(frozen=True)
class Dim:
    """A number that depends on widths: a polynomial in them and in what is rounded up of them.

    Attributes:
        constant: The part that no width changes.
        terms: Factor of each product of symbols, never 0.

    >>> (Dim.width("a") * 4 + Dim.width("b") + 3).at({"a": 10, "b": 2})
    45
    >>> print(Dim.width("a") * (Dim.width("a") + 2) * 9)
    18*a + 9*a*a
    """

    constant: int = 0
    terms: Mapping[Monomial, int] = dataclasses.field(default_factory=dict)

    @staticmethod
    def width(name: str) -> Dim:
        """Return the dimension that equals the width ``name``."""
        return Dim(0, {(name,): 1})

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.constant, frozenset(self.terms.items())))

    def __hash__(self) -> int:
        return self._hash

    @property
    def names(self) -> tuple[str, ...]:
        """The widths that have a say, each once."""
        found: dict[str, None] = {}
        for symbol in (symbol for monomial in self.terms for symbol in monomial):
            found |= dict.fromkeys([symbol] if isinstance(symbol, str) else symbol.argument.names)
        return tuple(found)

    def __add__(self, other: Dim | int) -> Dim:
        if not isinstance(other, Dim):
            return Dim(self.constant + other, self.terms)
        total = dict(self.terms)
        for monomial, factor in other.terms.items():
            total[monomial] = total.get(monomial, 0) + factor
        return Dim(self.constant + other.constant, _without_zeros(total))

    __radd__ = __add__

    def __mul__(self, other: Dim | int) -> Dim:
        if not isinstance(other, Dim):
            terms = {monomial: factor * other for monomial, factor in self.terms.items()}
            return Dim(self.constant * other, _without_zeros(terms))
        product = Dim(0, other.terms) * self.constant + other.constant * self
        return product + _products(self.terms, other.terms)

    __rmul__ = __mul__

    def at(self, widths: Mapping[str, Any]) -> Any:
        """Evaluate with a number for each width: an int for ints.

        Raises:
            KeyError: A width is missing.
        """
        value: Any = self.constant
        for monomial, factor in self.terms.items():
            product: Any = factor
            for symbol in monomial:
                product = product * _value(symbol, widths)
            value = value + product
        return value

    def __str__(self) -> str:
        parts = ["*".join([str(f), *map(str, monomial)]) for monomial, f in self.terms.items()]
        return " + ".join([*parts, str(self.constant)] if self.constant or not parts else parts)


# A number, known or still open: formulas treat both alike.
Extent: TypeAlias = Any


def ceil_div(value: Extent, divisor: int) -> Extent:
    """Divide and round up.

    What divides evenly whatever the widths are is taken out of the rounding, so that sizes come
    out in one form however they were added up.

    >>> ceil_div(17, 16)
    2
    >>> print(ceil_div(Dim.width("a") * 32 + Dim.width("b") + 19, 16))
    2*a + 1*ceil((1*b + 3)/16) + 1
    """
    if not isinstance(value, Dim):
        return -(-value // divisor)
    even = {m: factor // divisor for m, factor in value.terms.items() if factor % divisor == 0}
    rest = {m: factor for m, factor in value.terms.items() if factor % divisor != 0}
    if not rest:
        return Dim(-(-value.constant // divisor), even)
    whole, remainder = divmod(value.constant, divisor)
    return Dim(whole, even) + Dim(0, {(Ceiling(Dim(remainder, rest), divisor),): 1})


def align_up(value: Extent, multiple: int) -> Extent:
    """Round up to a multiple.

    >>> align_up(17, 16), align_up(32, 16), align_up(0, 16)
    (32, 32, 0)
    >>> print(align_up(Dim.width("a") * 256 + 3, 16))
    256*a + 16
    """
    return ceil_div(value, multiple) * multiple


def is_more_than(value: Extent, limit: int) -> Extent:
    """Return 1 if a number of at least 0 is more than a limit, else 0.

    >>> is_more_than(1, 1), is_more_than(8, 1), is_more_than(Dim.width("a"), 1).at({"a": 2})
    (0, 1, 1)
    """
    return ceil_div(value + -limit, _ABOVE_ALL)


def is_multiple(value: Extent, divisor: int) -> Extent:
    """Return 1 if a number divides evenly, else 0.

    >>> is_multiple(8, 4), is_multiple(9, 4), is_multiple(Dim.width("a") * 8, 4)
    (1, 0, 1)
    >>> is_multiple(Dim.width("a"), 4).at({"a": 12}), is_multiple(Dim.width("a"), 4).at({"a": 5})
    (1, 0)
    """
    missing = align_up(value, divisor) + value * -1
    return _known(1 + ceil_div(missing, divisor) * -1)


def _known(value: Extent) -> Extent:
    """Return the int that a number is if no width has a say."""
    return value.constant if isinstance(value, Dim) and not value.terms else value


def _without_zeros(terms: Mapping[Monomial, int]) -> Mapping[Monomial, int]:
    if all(terms.values()):
        return terms
    return {monomial: factor for monomial, factor in terms.items() if factor}


def _products(left: Mapping[Monomial, int], right: Mapping[Monomial, int]) -> Dim:
    total: dict[Monomial, int] = {}
    for mine, factor in left.items():
        for others, other_factor in right.items():
            monomial = tuple(sorted((*mine, *others), key=str))
            total[monomial] = total.get(monomial, 0) + factor * other_factor
    return Dim(0, _without_zeros(total))


def _value(symbol: Symbol, widths: Mapping[str, Any]) -> Any:
    if isinstance(symbol, str):
        return widths[symbol]
    return ceil_div(symbol.argument.at(widths), symbol.divisor)
