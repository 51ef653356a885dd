"""What a network needs of each limited resource, at open widths."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_head, arena_tail, working_sets
from mcuprune.cost.soft import Soft
from mcuprune.ir.graph import Graph


@dataclasses.dataclass(frozen=True)
class ResourceModel:
    """Resources as functions of the widths of a graph.

    Attributes:
        graph: A graph whose dimensions are open (``ir.graph.Dim``).
        fixed: Width of each group that does not change.
        limited: The resources that are asked for (``"sram"``, ``"flash"``, ``"macs"``).
    """

    graph: Graph
    fixed: Mapping[str, int]
    limited: tuple[str, ...]

    def exact(self, widths: Mapping[str, int]) -> dict[str, int]:
        """Return bytes of arena and flash, and MACs, at whole widths.

        Args:
            widths: Channels of each group that changes.
        """
        return {name: int(max(terms)) for name, terms in self.exact_terms(widths).items()}

    def exact_terms(self, widths: Mapping[str, int]) -> dict[str, list[int]]:
        """Return the terms whose largest is each resource, at whole widths.

        The arena's first term is the one that counts, head under the greedy plan and tail; the
        others, never larger, are each operator's working set and tail.
        """
        graph = self._at(widths)
        heads = [arena_head(graph), *working_sets(graph)] if "sram" in self.limited else []
        return self._terms(graph, heads)

    def soft_terms(self, widths: Mapping[str, float]) -> dict[str, list[Any]]:
        """Return the terms whose largest is each resource, at soft widths.

        Every operator's working set is a term of the arena, so that all that exceed the target
        are pushed down together and not only the largest. They are scaled by what TFLM's greedy
        plan wastes at the nearest whole widths.

        Args:
            widths: Soft width of each group that changes.

        Returns:
            ``cost.soft.Soft`` numbers, or plain ones where no width has a say.
        """
        graph = self._at({name: Soft.width(name, width) for name, width in widths.items()})
        heads: list[Any] = []
        if "sram" in self.limited:
            wasted = self.head_factor({name: max(1, round(w)) for name, w in widths.items()})
            heads = [size * wasted for size in working_sets(graph)]
        return self._terms(graph, heads)

    def _terms(self, graph: Graph, heads: list[Any]) -> dict[str, list[Any]]:
        terms: dict[str, list[Any]] = {}
        if "sram" in self.limited:
            tail = arena_tail(graph)
            terms["sram"] = [head + tail for head in heads]
        if "flash" in self.limited:
            terms["flash"] = [flash_bytes(graph)]
        if "macs" in self.limited:
            terms["macs"] = [total_macs(graph)]
        return terms

    def head_factor(self, widths: Mapping[str, int]) -> float:
        """Return arena head over largest working set at whole widths, at least 1."""
        graph = self._at(widths)
        return max(1.0, arena_head(graph) / int(max(working_sets(graph))))

    def _at(self, widths: Mapping[str, Any]) -> Graph:
        return self.graph.at({**self.fixed, **widths})
