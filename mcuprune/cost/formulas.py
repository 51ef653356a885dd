"""Many open numbers evaluated at once, with derivatives: polynomials as arrays.

Everything is float64, in which whole numbers up to 2**53 are exact: at whole widths the values are
the exact numbers, at others they are what the pruner takes derivatives of. Those count rounding
up as a division (straight-through): its true derivative is 0 almost everywhere, which tells a
pruner nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mcuprune.ir.dim import Ceiling, Dim, Extent, Monomial, Symbol

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


class Formulas:
    """Open numbers as functions of widths.

    Args:
        extents: The numbers, known or open.
        names: The widths, in the order in which they will be given; others may not occur.

    >>> a, b = Dim.width("a"), Dim.width("b")
    >>> formulas = Formulas([a * b + 3, a * 2, 7], ["a", "b"])
    >>> values = formulas.at(np.array([5.0, 2.0]))
    >>> values.results, values.slopes(np.array([1.0, 1.0, 1.0]))
    (array([13., 10.,  7.]), array([4., 5.]))
    """

    def __init__(self, extents: Sequence[Extent], names: Sequence[str]) -> None:
        dims = [extent if isinstance(extent, Dim) else Dim(int(extent)) for extent in extents]
        # Position 0 holds the number 1; a product with fewer factors than others is filled with it.
        places: dict[Symbol, int] = {name: place for place, name in enumerate(names, start=1)}
        self._widths = len(names)
        self._stages: list[_Stage] = []
        for ceilings in _by_depth(dims):
            polynomials = _Polynomials.of([one.argument for one in ceilings], places)
            divisors = np.array([one.divisor for one in ceilings], np.float64)
            self._stages.append(_Stage(polynomials, divisors, len(places) + 1))
            places |= {one: len(places) + 1 + i for i, one in enumerate(ceilings)}
        self._results = _Polynomials.of(dims, places)
        self._symbols = len(places) + 1

    def at(self, widths: FloatArray) -> Values:
        """Evaluate.

        Args:
            widths: Shape ``(names,)``.
        """
        symbols = np.empty(self._symbols)
        symbols[0] = 1.0
        symbols[1 : 1 + self._widths] = widths
        for stage in self._stages:
            stage.fill(symbols)
        return Values(self, self._results.at(symbols), symbols)

    def slopes(self, symbols: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the derivative by each width of the weighted sum of the results.

        Args:
            symbols: What :meth:`at` found at the widths that count.
            weights: Shape ``(extents,)``.
        """
        pulls = self._results.pulls(symbols, weights)
        for stage in reversed(self._stages):
            pulls += stage.pulls(symbols, pulls)
        return pulls[1 : 1 + self._widths]


@dataclasses.dataclass(frozen=True)
class Values:
    """Formulas at widths.

    Attributes:
        formulas: The formulas.
        results: Their values, shape ``(extents,)``.
        symbols: The values of all that occurs in the polynomials.
    """

    formulas: Formulas
    results: FloatArray
    symbols: FloatArray

    def slopes(self, weights: FloatArray) -> FloatArray:
        """Return the derivative by each width of the weighted sum of the results.

        Args:
            weights: Shape ``(extents,)``.
        """
        return self.formulas.slopes(self.symbols, weights)


@dataclasses.dataclass(frozen=True)
class _Polynomials:
    """Polynomials in symbols, one after the other, as the flat list of their products.

    Attributes:
        factors: Number before each product.
        symbols: Places of the symbols of each product, shape ``(most factors, products)``.
        starts: Where each polynomial's products begin.
        owner: Which polynomial each product belongs to.
    """

    factors: FloatArray
    symbols: IntArray
    starts: IntArray
    owner: IntArray

    @staticmethod
    def of(dims: Sequence[Dim], places: Mapping[Symbol, int]) -> _Polynomials:
        products = [[((), dim.constant), *dim.terms.items()] for dim in dims]
        counts = [len(of_one) for of_one in products]
        flat: list[tuple[Monomial, int]] = list(itertools.chain.from_iterable(products))
        most = max((len(monomial) for monomial, _ in flat), default=1)
        rows = np.zeros((max(most, 1), len(flat)), np.intp)
        for column, (monomial, _) in enumerate(flat):
            for row, symbol in enumerate(monomial):
                rows[row, column] = places[symbol]
        return _Polynomials(
            factors=np.array([factor for _, factor in flat], np.float64),
            symbols=rows,
            starts=np.cumsum([0, *counts[:-1]], dtype=np.intp),
            owner=np.repeat(np.arange(len(dims)), counts),
        )

    def at(self, symbols: FloatArray) -> FloatArray:
        if not len(self.factors):
            return np.empty(0)
        products = self.factors * symbols[self.symbols[0]]
        for row in self.symbols[1:]:
            products *= symbols[row]
        return np.add.reduceat(products, self.starts)

    def pulls(self, symbols: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the derivative by each symbol of the weighted sum of the polynomials."""
        found = np.zeros(len(symbols))
        weighted = self.factors * weights[self.owner]
        for row in range(len(self.symbols)):
            others = np.delete(self.symbols, row, axis=0)
            products = weighted * symbols[others].prod(axis=0)
            found += np.bincount(self.symbols[row], products, minlength=len(symbols))
        return found


@dataclasses.dataclass(frozen=True)
class _Stage:
    """Symbols that are rounded up from symbols before them.

    Attributes:
        arguments: What is rounded.
        divisors: By what each is divided before.
        start: Place of the first of these symbols.
    """

    arguments: _Polynomials
    divisors: FloatArray
    start: int

    @property
    def _places(self) -> slice:
        return slice(self.start, self.start + len(self.divisors))

    def fill(self, symbols: FloatArray) -> None:
        symbols[self._places] = np.ceil(self.arguments.at(symbols) / self.divisors)

    def pulls(self, symbols: FloatArray, pulls: FloatArray) -> FloatArray:
        return self.arguments.pulls(symbols, pulls[self._places] / self.divisors)


def _by_depth(dims: Iterable[Dim]) -> list[list[Ceiling]]:
    """Return everything that is rounded, each once, after all that it is made of."""
    depths: dict[Ceiling, int] = {}

    def depth_of(dim: Dim) -> int:
        return max((depth(ceiling) for ceiling in _ceilings(dim)), default=-1)

    def depth(ceiling: Ceiling) -> int:
        if ceiling not in depths:
            depths[ceiling] = depth_of(ceiling.argument) + 1
        return depths[ceiling]

    deepest = max((depth_of(dim) for dim in dims), default=-1)
    return [[c for c, at in depths.items() if at == level] for level in range(deepest + 1)]


def _ceilings(dim: Dim) -> Iterator[Ceiling]:
    for symbol in itertools.chain.from_iterable(dim.terms):
        if isinstance(symbol, Ceiling):
            yield symbol
