"""Whole widths that meet the budget exactly and keep as much importance as they can.

The worth of widths is the sum over groups of ``log(kept importance share)``: the share that the
group's most important channels hold. The logarithm makes halving any group equally dear, so that
no group is emptied for the sake of another, and gives uniform scaling when all channels matter
alike and all groups cost alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

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
        floors: Smallest allowed width per group.
        round_to: Widths are multiples of this, where a group's full width is not smaller.
    """

    def __init__(
        self,
        measure: Measure,
        limits: Mapping[str, int],
        scores: Mapping[str, FloatArray],
        floors: Mapping[str, int],
        round_to: int = 1,
    ) -> None:
        self._measure = measure
        self._limits = limits
        self._curves = {name: np.cumsum(np.sort(s)[::-1]) for name, s in scores.items()}
        self._floors = floors
        self._round_to = round_to

    def run(self, start: Mapping[str, int]) -> Widths:
        """Return widths within the limits: shrink what exceeds, then fill what is left.

        Args:
            start: Widths to begin with.

        Raises:
            ValueError: Even the smallest allowed widths exceed a limit.
        """
        widths = {name: self._rounded(name, width) for name, width in start.items()}
        return self._fill(self._shrink(widths))

    def _rounded(self, name: str, width: float) -> int:
        full = len(self._curves[name])
        if full <= self._round_to:
            return full
        multiple = max(1, round(width / self._round_to)) * self._round_to
        return int(min(max(multiple, self._floors[name]), full))

    def _shrink(self, widths: Widths) -> Widths:
        while True:
            excess = self._excess(self._measure(widths))
            if excess <= 0:
                return widths
            # Coarse steps while far away keep the count of measurements low on wide networks.
            steps = list(self._steps_down(widths, coarse=excess > 0.05))
            if not steps:
                raise ValueError("the smallest allowed widths exceed the limits")
            widths = min(steps, key=lambda step: self._loss_rate(widths, step, excess))

    def _loss_rate(self, widths: Widths, step: Widths, excess: float) -> float:
        """Return worth lost per share of excess removed."""
        removed = excess - max(0.0, self._excess(self._measure(step)))
        lost = self.worth(widths) - self.worth(step)
        return lost / removed if removed > 0 else float("inf") if lost > 0 else 0.0

    def _fill(self, widths: Widths) -> Widths:
        used = self._measure(widths)
        while True:
            best, best_rate = None, -1.0
            for step in self._steps_up(widths):
                needs = self._measure(step)
                if self._excess(needs) > 0:
                    continue
                rate = self._gain_rate(widths, step, used, needs)
                if rate > best_rate:
                    best, best_rate = step, rate
            if best is None:
                return widths
            widths, used = best, self._measure(best)

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

    def _steps_down(self, widths: Widths, coarse: bool) -> Iterator[Widths]:
        for name, width in widths.items():
            step = max(1, width // 16) if coarse else 1
            lower = self._rounded(name, width - step * self._round_to)
            if self._floors[name] <= lower < width:
                yield {**widths, name: lower}

    def _steps_up(self, widths: Widths) -> Iterator[Widths]:
        for name, width in widths.items():
            higher = self._rounded(name, width + self._round_to)
            if higher > width:
                yield {**widths, name: higher}
