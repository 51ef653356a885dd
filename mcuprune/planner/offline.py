"""The plan that ships inside the file: an order of the operators and an offset for every tensor.

Stock TFLM takes the offsets from the file's metadata and places only scratch memory by itself,
around them. What it then uses is counted with its own greedy planner, so that a plan is never kept
because of what it promises.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence

from mcuprune.ir.graph import Graph
from mcuprune.planner.greedy import MemoryPlan, greedy_plan
from mcuprune.planner.in_place import room_buffers, shared_places
from mcuprune.planner.lifetimes import Buffer, ScratchRequest, buffers
from mcuprune.planner.optimal import TIME_LIMIT_S, optimal_plan
from mcuprune.planner.order import (
    Ordering,
    best_order,
    is_only_order,
    reordered,
    reordered_scratch,
)
from mcuprune.planner.overwrites import require_intact
from mcuprune.planner.packing import floor_bytes, packing_of

LEFT_TO_RUNTIME = -1


@dataclasses.dataclass(frozen=True)
class OfflinePlan:
    """What is written into a file, and what TFLM then uses.

    Attributes:
        operators: Indices of the operators in the order in which they run.
        offsets_bytes: Offset in the arena per tensor, -1 where it needs none; None if the file is
            best left as it is.
        head_bytes: The arena's head as TFLM uses it with this plan.
        unplanned_head_bytes: The head as TFLM uses it without: by its own plan, or by the one that
            the file brings.
        lower_bound_bytes: No plan needs less, in any order that was allowed.
        in_place: Number of tensors that lie in the place of another.
    """

    operators: tuple[int, ...]
    offsets_bytes: tuple[int, ...] | None
    head_bytes: int
    unplanned_head_bytes: int
    lower_bound_bytes: int
    in_place: int = 0

    @property
    def proven(self) -> bool:
        """Whether no plan needs less."""
        return self.head_bytes == self.lower_bound_bytes

    @property
    def saved_bytes(self) -> int:
        """Bytes of the arena that the plan saves."""
        return self.unplanned_head_bytes - self.head_bytes

    @property
    def is_reordered(self) -> bool:
        """Whether the operators run in another order than in the file."""
        return self.operators != tuple(range(len(self.operators)))


@dataclasses.dataclass(frozen=True)
class _Variant:
    """An order, with or without shared places, and the buffers that it takes."""

    operators: tuple[int, ...]
    place: Mapping[int, int]
    buffers: tuple[Buffer, ...]
    floor_bytes: int


def plan_offline(
    graph: Graph,
    scratch: Sequence[ScratchRequest] = (),
    *,
    reorder: bool = True,
    in_place: bool = True,
    time_limit_s: float = TIME_LIMIT_S,
) -> OfflinePlan:
    """Return the smallest offline plan that was found.

    Of plans of equal size the one that changes least is chosen: the given order before another,
    places of their own before shared ones, the file as it is before any change.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: What the kernels ask for.
        reorder: Whether operators may run in another order.
        in_place: Whether tensors may share a place.
        time_limit_s: Seconds after which the best plan found is returned.

    Raises:
        InputError: The time limit is negative.
    """
    as_it_is = _head_bytes(graph, scratch)
    order = _order(graph, scratch, reorder, in_place)
    variants = _variants(graph, scratch, order, in_place)
    best = OfflinePlan(tuple(range(len(graph.operators))), None, as_it_is, as_it_is, 0)
    bound = order.lower_bound_bytes
    bounds = []
    deadline = time.monotonic() + time_limit_s
    for left, variant in zip(range(len(variants), 0, -1), variants, strict=True):
        bounds.append(variant.floor_bytes)
        if variant.floor_bytes < best.head_bytes:
            limit_s = max(0.0, deadline - time.monotonic()) / left if time_limit_s >= 0 else -1
            plan = optimal_plan(variant.buffers, time_limit_s=limit_s)
            bounds[-1] = plan.lower_bound_bytes
            best = min(best, _shipped(graph, scratch, variant, plan, as_it_is), key=_head_of)
    if is_only_order(graph) or not reorder:
        bound = max(bound, min(bounds))
    return dataclasses.replace(best, lower_bound_bytes=min(bound, best.head_bytes))


def shipped_head_bytes(graph: Graph, scratch: Sequence[ScratchRequest] = ()) -> int:
    """Return the arena's head under the plan that ships.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: What the kernels ask for.
    """
    return plan_offline(graph, scratch).head_bytes


def planned_graph(graph: Graph, plan: OfflinePlan) -> Graph:
    """Return the graph as it reads back from a file with the plan in it."""
    if plan.offsets_bytes is None:
        return graph
    moved = reordered(graph, plan.operators)
    return dataclasses.replace(moved, offline_offsets=plan.offsets_bytes)


def _order(
    graph: Graph, scratch: Sequence[ScratchRequest], reorder: bool, in_place: bool
) -> Ordering:
    if reorder:
        return best_order(graph, scratch, in_place=in_place)
    return Ordering(tuple(range(len(graph.operators))), 0, 0)


def _variants(
    graph: Graph, scratch: Sequence[ScratchRequest], order: Ordering, in_place: bool
) -> list[_Variant]:
    """Return what may be tried, the least demanding first; of equals the least changed."""
    given = tuple(range(len(graph.operators)))
    found = []
    for operators, shared in itertools.product(
        dict.fromkeys([given, order.operators]), [False, True] if in_place else [False]
    ):
        moved = reordered(graph, operators)
        place = shared_places(moved) if shared else {}
        placed = room_buffers(moved, reordered_scratch(scratch, operators), place)
        found.append(_Variant(operators, place, placed, floor_bytes(packing_of(placed))))
    return sorted(found, key=lambda variant: variant.floor_bytes)


def _shipped(
    graph: Graph,
    scratch: Sequence[ScratchRequest],
    variant: _Variant,
    plan: MemoryPlan,
    as_it_is: int,
) -> OfflinePlan:
    """Return a plan as it ships, counted by TFLM's own planner and checked byte by byte."""
    places = {
        buffer.tensor: offset
        for buffer, offset in zip(plan.buffers, plan.offsets_bytes, strict=True)
    }
    offsets = tuple(
        places.get(variant.place.get(index, index), LEFT_TO_RUNTIME)
        for index in range(len(graph.tensors))
    )
    moved = dataclasses.replace(reordered(graph, variant.operators), offline_offsets=offsets)
    used = greedy_plan(buffers(moved, reordered_scratch(scratch, variant.operators)))
    require_intact(moved, offsets, _scratch_places(used))
    return OfflinePlan(
        variant.operators, offsets, used.size_bytes, as_it_is, 0, in_place=len(variant.place)
    )


def _scratch_places(plan: MemoryPlan) -> dict[int, list[tuple[int, int]]]:
    places: dict[int, list[tuple[int, int]]] = {}
    for buffer, offset in zip(plan.buffers, plan.offsets_bytes, strict=True):
        if buffer.tensor is None:
            place = (offset, int(buffer.size_bytes))
            places.setdefault(buffer.first_step - 1, []).append(place)
    return places


def _head_bytes(graph: Graph, scratch: Sequence[ScratchRequest]) -> int:
    return greedy_plan(buffers(graph, scratch)).size_bytes


def _head_of(plan: OfflinePlan) -> int:
    return plan.head_bytes
