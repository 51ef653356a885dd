"""Whole widths that meet the budget exactly and keep as much importance as they can.

The worth of widths is the sum over groups of what ``worth_of_widths`` gives: no group is emptied
for the sake of another, and scaling is uniform when all channels matter alike and all groups cost
alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.settle import settled
from mcuprune.pruning.usage import Needs, ResourceModel
from mcuprune.pruning.widths import worth_of_widths

Widths = dict[str, int]
FloatArray = npt.NDArray[np.float64]

# How often narrowing step by step may measure widths, and exchanging channels between groups. In
# large networks the first is left unfinished: there balanced widths come out far better anyway.
MOST_MEASUREMENTS = 1000
# How many channels an exchange takes from a group.
EXCHANGED = (1, 2, 4, 8)


class Projection:
    """Searches whole widths by exact counting.

    Two ways lead within the limits: groups that exceed are narrowed step by step, and widths are
    brought into balance as soft ones and scaled down until they fit. The one adds up steps whose
    effect alignment hides, the other ignores alignment; the better result counts. What is left of
    the limits is filled, and at last channels are exchanged between groups where that gains.

    Args:
        resources: Counts what widths need.
        limits: Upper limit per resource.
        scores: Importance share of each channel per group.
        allowed: Widths that each group may take.
    """

    def __init__(
        self,
        resources: ResourceModel,
        limits: Mapping[str, int],
        scores: Mapping[str, FloatArray],
        allowed: Mapping[str, Allowed],
    ) -> None:
        self._resources = resources
        self._limits = limits
        self._shares = {name: np.sort(shares)[::-1] for name, shares in scores.items()}
        self._worth = {n: worth_of_widths(shares) for n, shares in self._shares.items()}
        self._allowed = allowed
        self._measured = 0

    def run(self, start: Mapping[str, int]) -> Widths | None:
        """Return widths within the limits, None if even the smallest allowed ones exceed one.

        Args:
            start: Widths to begin with.
        """
        widths = self._nearest(start)
        if self._excess(widths)[1] <= 0:
            return self._fill(widths)
        if self._excess({name: allowed.smallest for name, allowed in self._allowed.items()})[1] > 0:
            return None
        self._measured = 0
        found = [self._shrunk(widths), self._scaled(widths)]
        filled = [self._fill(widths) for widths in found if widths is not None]
        return max(map(self._exchanged, filled), key=self.worth)

    def worth(self, widths: Mapping[str, int]) -> float:
        """Return the sum of the groups' worth."""
        return float(sum(self._worth[name][width - 1] for name, width in widths.items()))

    def _shrunk(self, widths: Widths, but: str | None = None) -> Widths | None:
        """Narrow groups, all but one, step by step until all fits; None if that takes too long."""
        known: dict[str, float] = {}
        while self._measured <= MOST_MEASUREMENTS:
            waste, excess = self._excess(widths)
            if excess <= 0:
                return widths
            steps = self._steps_down(widths, excess)
            if but is not None:
                steps.pop(but, None)
            if not steps:
                return None
            name = self._cheapest(widths, steps, waste, excess, known)
            widths = {**widths, name: steps[name]}
        return None

    def _excess(self, widths: Widths) -> tuple[float, float]:
        """Return the waste to count with and the excess.

        Memory is planned only where the working sets fit; before, the plan has no say.
        """
        excess = self._over(self._needs(widths))
        if excess > 0:
            return 1.0, excess
        waste = self._resources.waste(widths)
        return waste, self._over(self._needs(widths, waste)) if waste > 1 else excess

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
            needs = self._needs({**widths, name: steps[name]}, waste)
            removed = excess - self._over(needs)
            lost = -self._gained(name, widths[name], steps[name])
            known[name] = lost / removed if removed > 0 else math.inf
            fresh.add(name)

    def _scaled(self, start: Widths) -> Widths:
        """Return the widest scaling of balanced widths that fits."""
        balanced = settled(self._resources, self._limits, self._shares, self._allowed, start)
        fits, exceeds = 0.0, 1.1
        for _ in range(10):
            scale = (fits + exceeds) / 2
            scaled = self._nearest({name: width * scale for name, width in balanced.items()})
            fits, exceeds = (fits, scale) if self._excess(scaled)[1] > 0 else (scale, exceeds)
        return self._nearest({name: width * fits for name, width in balanced.items()})

    def _exchanged(self, widths: Widths) -> Widths:
        """Exchange channels between groups as long as that gains.

        One group gives and others are filled, or one group takes and others, several if need be,
        are narrowed until it has room.
        """
        self._measured, before = 0, -math.inf
        while self.worth(widths) > before:
            before = self.worth(widths)
            for count in EXCHANGED:
                for name in widths:
                    if self._measured > MOST_MEASUREMENTS:
                        return widths
                    widths = self._with_less_of(name, widths, count)
                    widths = self._with_more_of(name, widths, count)
        return widths

    def _with_less_of(self, name: str, widths: Widths, count: int) -> Widths:
        narrower = self._allowed[name].narrower(widths[name], count)
        if narrower * 2 < widths[name]:
            return widths
        return self._better(self._fill(self._fill({**widths, name: narrower}, but=name)), widths)

    def _with_more_of(self, name: str, widths: Widths, count: int) -> Widths:
        wider = self._allowed[name].wider(widths[name], count)
        if wider <= widths[name]:
            return widths
        narrowed = self._shrunk({**widths, name: wider}, but=name)
        if narrowed is None:
            return widths
        return self._better(self._fill(narrowed), widths)

    def _better(self, found: Widths, widths: Widths) -> Widths:
        return found if self.worth(found) > self.worth(widths) + 1e-9 else widths

    def _fill(self, widths: Widths, but: str | None = None) -> Widths:
        """Widen groups, all but one, until no step more fits."""
        steps, known = self._steps_up(widths), dict.fromkeys(widths, math.inf)
        if but is not None:
            steps.pop(but, None)
        while (name := self._best(widths, steps, known)) is not None:
            wider = {**widths, name: steps.pop(name)}
            if self._excess(wider)[1] <= 0:
                widths = wider
                steps |= self._step_up(name, widths[name])
        return widths

    def _best(self, widths: Widths, steps: dict[str, int], known: dict[str, float]) -> str | None:
        """Return the group whose step gains the most worth per share of the slack that it takes.

        Rates only fall while groups widen, so that here, too, most need not be measured anew.
        Steps that do not fit are taken out: nor will they once other groups are wider.
        """
        used = self._needs(widths)
        fresh: set[str] = set()
        while steps:
            name = max(steps, key=lambda name: (known[name], name in fresh))
            if name in fresh:
                return name
            needs = self._needs({**widths, name: steps[name]})
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
        steps: dict[str, int] = {}
        for name, width in widths.items():
            steps |= self._step_up(name, width)
        return steps

    def _step_up(self, name: str, width: int) -> dict[str, int]:
        wider = self._allowed[name].wider(width)
        return {name: wider} if wider > width else {}

    def _nearest(self, widths: Mapping[str, float]) -> Widths:
        return {name: self._allowed[name].nearest(width) for name, width in widths.items()}

    def _needs(self, widths: Widths, waste: float = 1.0) -> Needs:
        self._measured += 1
        return self._resources.needs(widths, waste)
