"""The widest networks that fit: one multiplier for all layers, or two."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from accuracy.other_networks import OTHER_NETWORKS
from accuracy.tasks import Limits
from mcuprune.budget import Budget
from mcuprune.cost.resources import Resources, estimate
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.shipping import shipping
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.models import BUILDERS
from mcuprune.recipes.schema import Recipe

_BUILDERS = {**BUILDERS, **OTHER_NETWORKS}
Widths = tuple[int, ...]
# Whether the network of these widths fits, and its MACs.
Cost = Callable[[Widths], tuple[bool, int]]


def scaled(widths: Sequence[int], numerator: int, denominator: int) -> Widths:
    """Return widths times a fraction, rounded half up, at least 1.

    >>> scaled((16, 32, 64), 9, 64)
    (2, 5, 9)
    """
    return tuple(max(1, (2 * w * numerator + denominator) // (2 * denominator)) for w in widths)


def one_multiplier(whole: Widths, fits: Callable[[Widths], bool]) -> Widths:
    """Return the widest network of one multiplier that fits.

    The multipliers are those that make the widest layer a whole number of channels.

    Args:
        whole: Widths at multiplier 1.
        fits: Whether a network of these widths fits; no wider one may fit if it does not.

    Raises:
        ValueError: Not even the narrowest fits.
    """
    steps = max(whole)
    found = _last(steps, lambda step: fits(scaled(whole, step, steps)))
    if found == 0:
        raise ValueError(f"not even the widths {scaled(whole, 1, steps)} fit the budget")
    return scaled(whole, found, steps)


def two_multipliers(whole: Widths, cost: Cost) -> Widths:
    """Return the network with most MACs of those that fit, first and other layers scaled apart.

    The wider the first layers, the narrower the rest has to be, so the candidates are the corners
    of a staircase: the widest rest for each width of the first layers.

    Args:
        whole: Widths at multiplier 1, those of the first layers first.
        cost: Whether widths fit, and their MACs.

    Raises:
        ValueError: Not even the narrowest fits.
    """
    corners = [(cost(widths)[1], widths) for widths in _corners(whole, lambda w: cost(w)[0])]
    if not corners:
        raise ValueError("not even a single channel in every layer fits the budget")
    return max(corners)[1]


def _corners(whole: Widths, fits: Callable[[Widths], bool]) -> Iterator[Widths]:
    first, rest = whole[0], whole[1:]
    steps = max(rest)
    step = _last(steps, lambda step: fits((1, *scaled(rest, step, steps))))
    for width in range(1, first + 1):
        while step and not fits((width, *scaled(rest, step, steps))):
            step -= 1
        if step:
            yield (width, *scaled(rest, step, steps))


def _last(steps: int, holds: Callable[[int], bool]) -> int:
    """Return the largest step at which a falling condition holds, 0 if it holds at none."""
    low, high = 0, steps
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def whole_widths(recipe: Recipe) -> Widths:
    """Return the widths of the recipe's whole network: its builder's own."""
    parameters = inspect.signature(_BUILDERS[recipe.model.name]).parameters
    return tuple(recipe.model.options.get("widths", parameters["widths"].default))


def network(recipe: Recipe, data: Dataset, widths: Widths) -> Any:
    """Build the recipe's network at other widths, with fresh weights."""
    options = {**recipe.model.options, "widths": widths}
    return _BUILDERS[recipe.model.name](
        input_shape=data.input_shape, classes=data.classes, **options
    )


def counted(model: Any) -> Resources:
    """Return what a Keras model is predicted to take without a memory plan in its file.

    As ``mcuprune.estimate``, but for the boards that would hold it, which take ten times as long.
    """
    return estimate(graph_from_keras(model))


def fits(model: Any, limits: Limits) -> bool:
    """Tell whether a Keras model is predicted to meet a budget as it ships.

    With a memory plan in the file where that helps, as :class:`mcuprune.MCUPruning` counts.
    """
    budget = Budget(sram=limits.arena_bytes, flash=limits.flash_bytes)
    return shipping(graph_from_keras(model), {}, {}, budget).meets(dict(budget.limits()), {})


def cost_within(recipe: Recipe, data: Dataset, limits: Limits) -> Cost:
    """Return what tells of widths whether they fit, and their MACs, as predicted from Keras."""

    @functools.cache
    def cost(widths: Widths) -> tuple[bool, int]:
        model = network(recipe, data, widths)
        return fits(model, limits), counted(model).macs

    return cost
