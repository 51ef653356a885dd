"""What a network needs as it ships: with a memory plan in its file, or without one.

A plan (:mod:`mcuprune.planner.offline`) lets TFLM use a smaller arena and costs bytes of flash.
Which is better depends on the budget and on the widths, so widths are searched both ways.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.budget import Budget
from mcuprune.cost.firmware import target_of
from mcuprune.cost.latency import budget_timing
from mcuprune.cost.open_costs import OpenCosts
from mcuprune.cost.runtime import load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.ir.dim import Dim
from mcuprune.ir.graph import Graph
from mcuprune.planner.offline import plan_offline
from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.projection import Projection, Widths
from mcuprune.pruning.usage import ResourceModel
from mcuprune.pruning.widths import FloatArray

# Enough for the order and the shared places of some hundred operators; offsets are found later.
PLAN_TIME_LIMIT_S = 2.0


@dataclasses.dataclass(frozen=True)
class Shipping:
    """The resource models of a network, that of the form in which it ships first.

    Attributes:
        models: With or without a plan in the file first, and the other way, if there is one.
        code_bytes: Bytes of the flash that the runtime's code takes, as far as the budget counts
            it.
    """

    models: tuple[ResourceModel, ...]
    code_bytes: int = 0

    @property
    def model(self) -> ResourceModel:
        """The resource model of the form in which the network ships, as far as is known."""
        return self.models[0]

    @property
    def is_planned(self) -> bool:
        """Whether the network ships with a plan in its file, as far as is known."""
        return self.model.costs.is_planned

    def beginning(self, is_planned: bool) -> Shipping:
        """Return the models, that with or that without a plan first."""
        models = sorted(self.models, key=lambda model: model.costs.is_planned != is_planned)
        return dataclasses.replace(self, models=tuple(models))

    def at_fixed(self, fixed: Mapping[str, int]) -> Shipping:
        """Return the models with other widths of the groups that do not change."""
        models = (dataclasses.replace(model, fixed=fixed) for model in self.models)
        return dataclasses.replace(self, models=tuple(models))

    def meets(self, limits: Mapping[str, int], widths: Mapping[str, int]) -> bool:
        """Return whether the network fits at whole widths in one form or the other."""
        return any(
            all(model.exact(widths)[name] <= limit for name, limit in limits.items())
            for model in self.models
        )

    def least(self, limits: Mapping[str, int], widths: Mapping[str, int]) -> dict[str, int]:
        """Return the needs at whole widths in the form that exceeds the limits less.

        Args:
            limits: Upper limit per resource.
            widths: Width of each group that changes.
        """
        needs = [model.exact(widths) for model in self.models]
        return min(needs, key=lambda need: sum(max(0, need[n] / m - 1) for n, m in limits.items()))

    def search(
        self,
        limits: Mapping[str, int],
        shares: Mapping[str, FloatArray],
        allowed: Mapping[str, Allowed],
        start: Mapping[str, int],
    ) -> tuple[Widths, Shipping]:
        """Return the best widths within the limits, and the form that allows them first.

        Args:
            limits: Upper limit per resource.
            shares: Importance share of each channel per group.
            allowed: Widths that each group may take.
            start: Widths to begin with.

        Raises:
            ValueError: Even the smallest allowed widths exceed a limit.
        """
        found: list[tuple[float, int, Widths]] = []
        for turn, model in enumerate(self.models):
            search = Projection(model, limits, shares, allowed)
            widths = search.run(start)
            if widths is not None:
                found.append((search.worth(widths), -turn, widths))
        if not found:
            raise ValueError("the smallest allowed widths exceed the limits")
        _, turn, widths = max(found, key=lambda each: each[:2])
        first = self.models[-turn]
        models = (first, *(model for model in self.models if model is not first))
        return widths, dataclasses.replace(self, models=models)


def shipping(
    graph: Graph,
    widths: Mapping[str, int],
    fixed: Mapping[str, int],
    budget: Budget,
    plan_memory: bool = True,
) -> Shipping:
    """Return the resource models of a network under a budget.

    Args:
        graph: The network with open widths.
        widths: Width of each group as it is.
        fixed: Width of each group that does not change.
        budget: What is limited, and for which board.
        plan_memory: Whether the file may carry a plan.

    Raises:
        InputError: The latency is limited, but not known.
        UnsupportedModelError: The latency is limited, but a kernel is not in the board's table.
    """
    limited = tuple(name for name, _ in budget.limits())
    timing = budget_timing(budget.board) if "latency" in limited else None
    # Sizes that a layer without a rule keeps apart are equal once their widths are known: a plan
    # may let them share a place.
    open_widths = {name: Dim.width(name) for name in widths if name not in fixed}
    graph = graph.at({**open_widths, **fixed})
    target = target_of(budget)
    plain = ResourceModel(OpenCosts(graph, target, timing), fixed, limited)
    code_bytes = target.code_bytes(graph) or 0
    if "sram" not in limited or not plan_memory:
        return Shipping((plain,), code_bytes)
    closed = graph.at(widths)
    scratch = scratch_requests(closed, load_runtime(target.runtime))
    plan = plan_offline(closed, scratch, time_limit_s=PLAN_TIME_LIMIT_S)
    costs = OpenCosts(graph, target, timing, plan.arrangement)
    planned = ResourceModel(costs, fixed, limited)
    return Shipping((planned, plain) if plan.saved_bytes else (plain, planned), code_bytes)
