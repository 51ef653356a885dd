"""The targets of the day and what exceeding them costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcuprune.pruning.penalty import ascend, penalty
from mcuprune.pruning.schedule import target
from mcuprune.pruning.usage import ResourceModel

# Step of dual ascent, and the largest excess that one step answers to.
ASCENT_RATE = 2.0
MOST_EXCESS = 0.2


class Prices:
    """Targets and multipliers of the limited resources.

    Args:
        limits: Budget per resource, in bytes or MACs.
        reference: What the unpruned network needs, likewise.
    """

    def __init__(self, limits: Mapping[str, int], reference: Mapping[str, int]) -> None:
        self._limits, self._reference = dict(limits), dict(reference)
        self._multipliers = dict.fromkeys(limits, 0.0)
        self._penalty = 0.0
        self._slopes: Mapping[str, float] = {}

    @property
    def multipliers(self) -> dict[str, float]:
        """The penalty's present strength per resource."""
        return dict(self._multipliers)

    @property
    def penalty(self) -> float:
        """The penalty at the widths of the last move."""
        return self._penalty

    def of(self, group: str) -> float:
        """Return the penalty's derivative by a group's width at the last move."""
        return self._slopes.get(group, 0.0)

    def state(self) -> dict[str, Any]:
        """Return what moves have changed, as plain values."""
        return {
            "multipliers": self.multipliers,
            "penalty": self._penalty,
            "slopes": dict(self._slopes),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        self._multipliers = dict(state["multipliers"])
        self._penalty, self._slopes = state["penalty"], dict(state["slopes"])

    def targets(self, fraction: float) -> dict[str, float]:
        """Return the target per resource at a share of the pruning phase."""
        return {
            name: target(self._reference[name], limit, fraction)
            for name, limit in self._limits.items()
        }

    def move(self, fraction: float, resources: ResourceModel, widths: Mapping[str, float]) -> None:
        """Let the multipliers answer to the excess over the targets due, and price the widths.

        Args:
            fraction: Elapsed share of the pruning phase.
            resources: The resource model of the network as it is.
            widths: Soft width of each group.
        """
        targets = self.targets(fraction)
        waste = resources.waste({name: max(1, round(width)) for name, width in widths.items()})
        needs = resources.needs(widths, waste)
        for name, terms in needs.terms.items():
            excess = max(-MOST_EXCESS, min(float(terms.max()) / targets[name] - 1.0, MOST_EXCESS))
            self._multipliers[name] = ascend(self._multipliers[name], excess, ASCENT_RATE)
        self._penalty, by_term = penalty(needs.terms, targets, self._multipliers)
        self._slopes = needs.slopes(by_term)
