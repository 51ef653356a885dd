"""Whole widths that meet the budget exactly and keep as much importance as they can.

The worth of widths is the sum over groups of ``log(kept importance share)``: the share that the
group's most important channels hold. The logarithm makes halving any group equally dear, so that
no group is emptied for the sake of another, and gives uniform scaling when all channels matter
alike and all groups cost alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mcuprune.pruning.allowed import Allowed

Widths = dict[str, int]
Needs = Mapping[str, Sequence[int]]
Measure = Callable[[Mapping[str, int]], Needs]
FloatArray = npt.NDArray[np.float64]


class Projection:
    """Searches whole widths by exact counting.

    Args:
        measure: Gives at widths, per resource, the terms none of which may exceed the limit.
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
        self._curves = {name: np.cumsum(np.sort(s)[::-1]) for name, s in scores.items()}
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

    def _shrink(self, widths: Widths) -> Widths:
        known: dict[str, float] = {}
        while (excess := self._excess(self._measure(widths))) > 0:
            steps = self._steps_down(widths, excess)
            if not steps:
                raise ValueError("the smallest allowed widths exceed the limits")
            widths = self._cheapest(widths, steps, excess, known)
        return widths

    def _cheapest(
        self, widths: Widths, steps: Mapping[str, Widths], excess: float, known: dict[str, float]
    ) -> Widths:
        """Return the step that loses the least worth per share of excess removed.

        A rate measured earlier (``known``) can only have risen while other groups narrowed, so a
        step whose fresh rate is still the lowest wins without measuring the rest anew.
        """
        fresh: set[str] = set()
        while True:
            name = min(steps, key=lambda name: (known.get(name, -math.inf), name in fresh))
            if name in fresh:
                return steps[name]
            known[name] = self._loss_rate(widths, steps[name], excess)
            fresh.add(name)

    def _loss_rate(self, widths: Widths, step: Widths, excess: float) -> float:
        removed = excess - self._excess(self._measure(step))
        lost = self.worth(widths) - self.worth(step)
        return lost / removed if removed > 0 else math.inf

    def _fill(self, widths: Widths) -> Widths:
        used, steps = self._measure(widths), self._steps_up(widths)
        while steps:
            rates = {}
            for name, step in list(steps.items()):
                needs = self._measure(step)
                if self._excess(needs) > 0:
                    # Nor will it fit once other groups are wider.
                    del steps[name]
                else:
                    rates[name] = self._gain_rate(widths, step, used, needs)
            if rates:
                widths = steps[max(rates, key=lambda name: rates[name])]
                used = self._measure(widths)
            still_open = self._steps_up(widths)
            steps = {name: still_open[name] for name in steps if name in still_open}
        return widths

    def _gain_rate(self, widths: Widths, step: Widths, used: Needs, needs: Needs) -> float:
        """Return worth gained per share of the slack that the step takes."""
        gained = self.worth(step) - self.worth(widths)
        taken = max(
            (max(needs[name]) - max(used[name])) / max(limit - max(used[name]), 1)
            for name, limit in self._limits.items()
        )
        return gained / max(taken, 1e-9)

    def _excess(self, needs: Needs) -> float:
        """Return the sum of the shares by which terms exceed their limits; 0 if none does."""
        over = [term / limit - 1.0 for name, limit in self._limits.items() for term in needs[name]]
        return sum(share for share in over if share > 0)

    def worth(self, widths: Mapping[str, int]) -> float:
        """Return the sum of the logarithms of the kept importance shares."""
        return float(
            sum(np.log(max(self._curves[name][width - 1], 1e-12)) for name, width in widths.items())
        )

    def _steps_down(self, widths: Widths, excess: float) -> dict[str, Widths]:
        """Return a narrower step per group, coarse while the limits are far."""
        divisor = 4 if excess > 1 else 16 if excess > 0.05 else None
        steps = {}
        for name, width in widths.items():
            allowed = self._allowed[name]
            count = max(1, width // divisor // allowed.multiple) if divisor else 1
            lower = allowed.narrower(width, count)
            if lower < width:
                steps[name] = {**widths, name: lower}
        return steps

    def _steps_up(self, widths: Widths) -> dict[str, Widths]:
        steps = {}
        for name, width in widths.items():
            higher = self._allowed[name].wider(width)
            if higher > width:
                steps[name] = {**widths, name: higher}
        return steps
