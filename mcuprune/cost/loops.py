"""How often the parts of a kernel run: counts as functions of shape, without any timing.

Each kernel library has its own module of counts, read from the loops of its sources. A table under
``cost_models/kernels`` says what one run of each part takes (:mod:`mcuprune.cost.latency`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.ir.dim import Extent, ceil_div


@dataclasses.dataclass(frozen=True)
class Loops:
    """The loops that an operator runs through.

    Attributes:
        kernel: Which kernel runs, a name in the tables.
        counts: How often each part of it runs in one inference; the call itself is not among them.
    """

    kernel: str
    counts: Mapping[str, Extent]


def quotient_and_rest(value: Extent, divisor: int) -> tuple[Extent, Extent]:
    """Return the whole quotient and the remainder, of numbers known or open.

    >>> quotient_and_rest(19, 4)
    (4, 3)
    """
    quotient = ceil_div(value + (1 - divisor), divisor)
    return quotient, value + quotient * -divisor


def product(prefix: str, times: Extent, counts: Mapping[str, Extent]) -> dict[str, Extent]:
    """Return counts of an inner loop that runs ``times``, named after the outer one.

    >>> product("pair", 3, {"": 1, "_by_4": 2})
    {'pair': 3, 'pair_by_4': 6}
    """
    return {prefix + name: times * count for name, count in counts.items()}
