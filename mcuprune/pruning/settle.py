"""Soft widths brought into balance at once: the moves of a pruning phase without the training."""

from __future__ import annotations

from collections.abc import Mapping

from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.prices import Prices
from mcuprune.pruning.usage import ResourceModel
from mcuprune.pruning.widths import FloatArray, marginal_worth, moved

# Moves, and the largest relative change of a width in the first and in the last of them.
MOVES = 100
FIRST_RATE, LAST_RATE = 0.2, 0.01


def settled(
    resources: ResourceModel,
    limits: Mapping[str, int],
    shares: Mapping[str, FloatArray],
    allowed: Mapping[str, Allowed],
    start: Mapping[str, float],
) -> dict[str, float]:
    """Return soft widths whose worth and price are in balance at the limits, roughly.

    Args:
        resources: The resource model.
        limits: Upper limit per resource.
        shares: Importance share of each channel per group.
        allowed: Widths that each group may take.
        start: Widths to begin with.
    """
    prices, widths = Prices(limits, limits), dict(start)
    for move in range(MOVES):
        rate = FIRST_RATE * (LAST_RATE / FIRST_RATE) ** (move / MOVES)
        prices.move(1.0, resources, widths)
        for name, width in widths.items():
            force = marginal_worth(shares[name], width) - width * prices.of(name)
            least, most = allowed[name].smallest, allowed[name].largest
            widths[name] = moved(width, force, rate, least, most)
    return widths
