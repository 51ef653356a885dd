"""Whole widths that meet the budget exactly and keep as much importance as they can.

The worth of widths is the sum over groups of ``log(kept importance share)``: the share that the
group's most important channels hold. The logarithm makes halving any group equally dear, so that
no group is emptied for the sake of another, and gives uniform scaling when all channels matter
alike and all groups cost alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mcuprune.pruning.allowed import Allowed

Widths = dict[str, int]
FloatArray = npt.NDArray[np.float64]


class Needs(Protocol):
    """What widths need: see :class:`mcuprune.pruning.usage.Needs`."""

    @property
    def terms(self) -> Mapping[str, FloatArray]:
        """Per resource, the terms none of which may exceed the limit."""
        ...


class Measure(Protocol):
    """Counts widths: see :class:`mcuprune.pruning.usage.ResourceModel`."""

    def needs(self, widths: Mapping[str, int], waste: float = 1.0) -> Needs:
        """Return a lower bound of each resource, the arena's working sets times ``waste``."""
        ...

    def waste(self, widths: Mapping[str, int]) -> float:
        """Return the waste that makes the bound exact."""
        ...


class Projection:
    """Searches whole widths by exact counting.

    Args:
        measure: Counts what widths need.
        limits: Upper limit per resource.
        scores: Importance share of each channel per group.
        allowed: Widths that each group may take.
    """

    def __init__(
        self,
        measure: Measure,
        limits: Mapping[str, int],
        scores: Mapping[str, FloatArray],
        allowed: Mapping[str, Allowed],
    ) -> None:
        self._measure = measure
        self._limits = limits
        self._worth = {name: _logs_of_kept_shares(shares) for name, shares in scores.items()}
        self._allowed = allowed

    def run(self, start: Mapping[str, int]) -> Widths:
        """Return widths within the limits: shrink what exceeds, then fill what is left.

        Args:
            start: Widths to begin with.

        Raises:
            ValueError: Even the smallest allowed widths exceed a limit.
        """
        widths = {name: self._allowed[name].nearest(width) for name, width in start.items()}
        return self._fill(self._shrink(widths))

    def worth(self, widths: Mapping[str, int]) -> float:
        """Return the sum of the logarithms of the kept importance shares."""
        return float(sum(self._worth[name][width - 1] for name, width in widths.items()))

    def _shrink(self, widths: Widths) -> Widths:
        known: dict[str, float] = {}
        while True:
            waste, excess = self._excess(widths)
            if excess <= 0:
                return widths
            steps = self._steps_down(widths, excess)
            if not steps:
                raise ValueError("the smallest allowed widths exceed the limits")
            name = self._cheapest(widths, steps, waste, excess, known)
            widths = {**widths, name: steps[name]}

    def _excess(self, widths: Widths) -> tuple[float, float]:
        """Return the waste to count with and the excess.

        Memory is planned only where the working sets fit; before, the plan has no say.
        """
        excess = self._over(self._measure.needs(widths))
        if excess > 0:
            return 1.0, excess
        waste = self._measure.waste(widths)
        return waste, self._over(self._measure.needs(widths, waste)) if waste > 1 else excess

    def _cheapest(
        self,
        widths: Widths,
        steps: Mapping[str, int],
        waste: float,
        excess: float,
        known: dict[str, float],
    ) -> str:
        """Return the group whose step loses the least worth per share of excess removed.

        A rate measured earlier (``known``) can only have risen while other groups narrowed, so a
        step whose fresh rate is still the lowest wins without measuring the rest anew.
        """
        fresh: set[str] = set()
        while True:
            name = min(steps, key=lambda name: (known.get(name, -math.inf), name in fresh))
            if name in fresh:
                return name
            needs = self._measure.needs({**widths, name: steps[name]}, waste)
            removed = excess - self._over(needs)
            lost = -self._gained(name, widths[name], steps[name])
            known[name] = lost / removed if removed > 0 else math.inf
            fresh.add(name)

    def _fill(self, widths: Widths) -> Widths:
        steps, known = self._steps_up(widths), dict.fromkeys(widths, math.inf)
        while steps:
            name = self._best(widths, steps, known)
            if name is None:
                break
            wider = {**widths, name: steps[name]}
            if self._excess(wider)[1] > 0:
                del steps[name]
                continue
            widths = wider
            still_open = self._steps_up(widths)
            steps = {name: still_open[name] for name in steps if name in still_open}
        return widths

    def _best(self, widths: Widths, steps: dict[str, int], known: dict[str, float]) -> str | None:
        """Return the group whose step gains the most worth per share of the slack that it takes.

        Rates only fall while groups widen, so that here, too, most need not be measured anew.
        Steps that do not fit are taken out: nor will they once other groups are wider.
        """
        used = self._measure.needs(widths)
        fresh: set[str] = set()
        while steps:
            name = max(steps, key=lambda name: (known[name], name in fresh))
            if name in fresh:
                return name
            needs = self._measure.needs({**widths, name: steps[name]})
            if self._over(needs) > 0:
                del steps[name]
            else:
                gained = self._gained(name, widths[name], steps[name])
                known[name] = gained / max(self._taken(used, needs), 1e-9)
                fresh.add(name)
        return None

    def _taken(self, used: Needs, needs: Needs) -> float:
        """Return the largest share of the slack of any resource that is taken."""
        shares = []
        for name, limit in self._limits.items():
            before, after = float(used.terms[name].max()), float(needs.terms[name].max())
            shares.append((after - before) / max(limit - before, 1.0))
        return max(shares)

    def _over(self, needs: Needs) -> float:
        """Return the sum of the shares by which terms exceed their limits; 0 if none does."""
        return sum(
            float(np.maximum(needs.terms[name] / limit - 1.0, 0.0).sum())
            for name, limit in self._limits.items()
        )

    def _gained(self, name: str, width: int, wider: int) -> float:
        curve = self._worth[name]
        return float(curve[wider - 1] - curve[width - 1])

    def _steps_down(self, widths: Widths, excess: float) -> dict[str, int]:
        """Return a narrower width per group, coarse while the limits are far."""
        divisor = 4 if excess > 1 else 16 if excess > 0.05 else None
        steps = {}
        for name, width in widths.items():
            allowed = self._allowed[name]
            count = max(1, width // divisor // allowed.multiple) if divisor else 1
            steps[name] = allowed.narrower(width, count)
        return {name: lower for name, lower in steps.items() if lower < widths[name]}

    def _steps_up(self, widths: Widths) -> dict[str, int]:
        steps = {name: self._allowed[name].wider(width) for name, width in widths.items()}
        return {name: higher for name, higher in steps.items() if higher > widths[name]}


def _logs_of_kept_shares(shares: FloatArray) -> FloatArray:
    """Return for each width the logarithm of the share that the most important channels hold."""
    kept = np.cumsum(np.sort(shares)[::-1])
    return np.asarray(np.log(np.maximum(kept, 1e-12)))
