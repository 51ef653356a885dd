"""What a network needs of each limited resource, at open widths."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from mcuprune.cost.formulas import FloatArray
from mcuprune.cost.open_costs import Costs, OpenCosts


@dataclasses.dataclass(frozen=True)
class Needs:
    """The terms of each limited resource at certain widths, none of which may exceed its limit.

    Attributes:
        terms: Bytes of arena and flash, MACs, or microseconds, per resource. Every operator's
            working set with the tail is a term of the arena.
        waste: What the working sets are multiplied by in the terms of the arena.
    """

    terms: Mapping[str, FloatArray]
    waste: float
    _of: OpenCosts
    _costs: Costs

    def slopes(self, weights: Mapping[str, FloatArray]) -> dict[str, float]:
        """Return the derivative by each width of the sum of all terms, each times its weight.

        Args:
            weights: Per resource, as many as terms.
        """
        arena = weights.get("sram", np.zeros(1))
        return self._of.slopes(
            self._costs,
            working_sets=arena * self.waste,
            arena_tail=float(arena.sum()),
            flash_bytes=float(weights.get("flash", np.zeros(1)).sum()),
            macs=float(weights.get("macs", np.zeros(1)).sum()),
            latency_us=float(weights.get("latency", np.zeros(1)).sum()),
        )


@dataclasses.dataclass(frozen=True)
class ResourceModel:
    """Resources as functions of the widths of a network.

    Attributes:
        costs: The network's costs at open widths.
        fixed: Width of each group that does not change.
        limited: The resources that are asked for (``"sram"``, ``"flash"``, ``"macs"``,
            ``"latency"``).
    """

    costs: OpenCosts
    fixed: Mapping[str, int]
    limited: tuple[str, ...]

    def exact(self, widths: Mapping[str, int]) -> dict[str, int]:
        """Return bytes of arena and flash, MACs and microseconds, at whole widths.

        Args:
            widths: Channels of each group that changes.
        """
        costs = self._at(widths)
        latency_us = math.ceil(costs.latency_us)
        needed = {"flash": costs.flash_bytes, "macs": costs.macs, "latency": latency_us}
        if "sram" in self.limited:
            needed["sram"] = self.costs.arena_head(costs) + costs.arena_tail
        return {name: int(needed[name]) for name in self.limited}

    def needs(self, widths: Mapping[str, float], waste: float = 1.0) -> Needs:
        """Return the terms whose largest is each resource, at whole or soft widths.

        The arena's terms are what no memory plan can go below, so that at whole widths a network
        with a term over the limit exceeds it. Times the waste of the plan (:meth:`waste`), the
        largest is the arena.

        Args:
            widths: Width of each group that changes.
            waste: What to multiply the working sets by.
        """
        costs = self._at(widths)
        terms = {
            "sram": costs.working_sets * waste + costs.arena_tail,
            "flash": np.array([costs.flash_bytes]),
            "macs": np.array([costs.macs]),
            "latency": np.array([costs.latency_us]),
        }
        return Needs({name: terms[name] for name in self.limited}, waste, self.costs, costs)

    def waste(self, widths: Mapping[str, int]) -> float:
        """Return arena head over largest working set at whole widths, at least 1.

        TFLM's greedy plan has gaps for some networks. 1 if the arena is not limited.
        """
        if "sram" not in self.limited:
            return 1.0
        costs = self._at(widths)
        return max(1.0, self.costs.arena_head(costs) / float(costs.working_sets.max()))

    def _at(self, widths: Mapping[str, float]) -> Costs:
        return self.costs.at({**self.fixed, **widths})
