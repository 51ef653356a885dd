"""The smallest network that keeps an accuracy: a search over budgets, one training each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from mcuprune.budget import RESOURCE_UNITS, Budget, require_budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.errors import InputError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.notebook import html_table
from mcuprune.pruning.arguments import whole_number
from mcuprune.pruning.controls import Controls
from mcuprune.pruning.feasibility import narrowest
from mcuprune.pruning.shipping import shipping
from mcuprune.suggest import unknown_name

# Trains a network under a budget; returns it and its accuracy, 0 to 1.
Train = Callable[[Budget], tuple[Any, float]]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training of the search.

    Attributes:
        budget: What was allowed.
        accuracy: What was reached, 0 to 1.
        keeps: Whether that is enough.
    """

    budget: Budget
    accuracy: float
    keeps: bool


@dataclasses.dataclass(frozen=True)
class Minimized:
    """What a search found.

    Attributes:
        model: The network with the smallest budget that keeps the accuracy; None if none did.
        budget: That budget, None likewise.
        accuracy: What the model reached, None likewise.
        trials: All trainings, in their order.
    """

    model: Any
    budget: Budget | None
    accuracy: float | None
    trials: tuple[Trial, ...]

    def _repr_html_(self) -> str:
        rows = [
            (repr(trial.budget), f"{trial.accuracy:.1%}", "yes" if trial.keeps else "no")
            for trial in self.trials
        ]
        title = "no budget keeps the accuracy" if self.budget is None else repr(self.budget)
        return html_table(("budget", "accuracy", "enough"), rows, title=title, numbers=[1])


def minimize(
    model: Any,
    resource: str,
    train: Train,
    *,
    reference_accuracy: float,
    max_accuracy_drop: float = 0.01,
    trials: int = 6,
    within: Budget | None = None,
) -> Minimized:
    """Search the smallest budget of one resource that keeps the accuracy.

    The budget is halved between the narrowest network's needs and the whole network's, on a
    logarithmic scale: each trial leaves the square root of the ratio that was open. Which budgets
    are tried depends on the accuracies alone, so that a search that is repeated with kept results
    goes the same way.

    Args:
        model: The uncut network, built; it is only read.
        resource: ``"sram"``, ``"flash"``, ``"macs"`` or ``"latency"``.
        train: Builds and trains a network under a budget, with ``MCUPruning(budget)`` for example,
            and returns it with its accuracy, 0 to 1, on data that no later claim rests on.
        reference_accuracy: What the uncut network reaches there, 0 to 1.
        max_accuracy_drop: How much less is enough; 0.01 is a percentage point.
        trials: How many trainings.
        within: Limits on other resources, which every trial keeps, and the board.

    Raises:
        UnknownNameError: No such resource.
        InputError: A number makes no sense, the latency is to be minimized without a board, or
            ``train`` returns something else.
        UnsupportedModelError: The model cannot be read as a graph.
    """
    _require_sensible(resource, reference_accuracy, max_accuracy_drop, within)
    least, most = _span(model, resource, within)
    found: list[Trial] = []
    best: tuple[Any, Trial] | None = None
    for _ in range(whole_number("trials", trials, at_least=1)):
        limit = round(math.sqrt(least * most))
        if limit <= least or limit >= most:
            break
        budget = _limited(resource, limit, within)
        trained, accuracy = _checked(train(budget))
        trial = Trial(budget, accuracy, accuracy >= reference_accuracy - max_accuracy_drop)
        found.append(trial)
        if trial.keeps:
            most, best = limit, (trained, trial)
        else:
            least = limit
    if best is None:
        return Minimized(None, None, None, tuple(found))
    return Minimized(best[0], best[1].budget, best[1].accuracy, tuple(found))


def _checked(result: Any) -> tuple[Any, float]:
    """Return what ``train`` returned, if it is a network and a share."""
    is_pair = isinstance(result, tuple | list) and len(result) == 2
    try:
        accuracy = float(result[1])
    except (TypeError, ValueError, IndexError):
        accuracy = math.nan
    if is_pair and 0 <= accuracy <= 1:
        return result[0], accuracy
    told = f"the accuracy {result[1]!r}" if is_pair else f"a {type(result).__name__}"
    raise InputError(
        f"train returned {told}: let it return the trained network and its accuracy, a share "
        "between 0 and 1 (`return model, accuracy`)"
    )


def _require_sensible(resource: str, reference: float, drop: float, within: Budget | None) -> None:
    if resource not in RESOURCE_UNITS:
        raise unknown_name("resource", resource, RESOURCE_UNITS)
    if not 0 < reference <= 1 or not 0 <= drop < 1:
        raise InputError(
            f"reference_accuracy is {reference} and max_accuracy_drop {drop}: give shares between "
            "0 and 1, 0.01 for a percentage point"
        )
    if within is not None:
        require_budget(within)


def _span(model: Any, resource: str, within: Budget | None) -> tuple[int, int]:
    """Return what the narrowest and the whole network need."""
    groups = coupling_groups(model)
    budget = _limited(resource, 1, within)
    bounds = Controls().on(groups, budget.channel_multiple)
    full = {group.name: group.width for group in groups.prunable}
    fixed = {n: w for n, w in groups.widths().items() if n not in full}
    ships = shipping(graph_from_keras(model, groups.dims()), groups.widths(), fixed, budget)
    at = narrowest(bounds, full)
    return ships.model.exact(at)[resource], ships.model.exact(full)[resource]


def _limited(resource: str, limit: int, within: Budget | None) -> Budget:
    limits = {} if within is None else dict(within.limits())
    return Budget(**{**limits, resource: limit}, board=None if within is None else within.board)
