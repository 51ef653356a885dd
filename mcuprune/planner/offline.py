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

from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph
from mcuprune.planner.greedy import MemoryPlan, greedy_plan
from mcuprune.planner.in_place import room_buffers, scratch_buffers, shared_places
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
class Arrangement:
    """What a plan changes that does not depend on widths.

    Attributes:
        operators: Indices of the operators in the order in which they run.
        is_in_place: Whether tensors may lie in the place of another.
    """

    operators: tuple[int, ...]
    is_in_place: bool


@dataclasses.dataclass(frozen=True)
class OfflinePlan:
    """What is written into a file, and what TFLM then uses.

    Attributes:
        operators: Indices of the operators in the order in which they run.
        offsets_bytes: Offset in the arena per tensor, -1 where it needs none; None if the file is
            best left as it is.
        heads_bytes: The arena's head as TFLM uses it with this plan, per set of kernels.
        unplanned_heads_bytes: The heads as TFLM uses them without: by its own plan, or by the one
            that the file brings.
        lower_bound_bytes: With the first kernels no plan needs less, in any order that was allowed.
        in_place: Number of tensors that lie in the place of another.
    """

    operators: tuple[int, ...]
    offsets_bytes: tuple[int, ...] | None
    heads_bytes: tuple[int, ...]
    unplanned_heads_bytes: tuple[int, ...]
    lower_bound_bytes: int = 0
    in_place: int = 0

    @property
    def head_bytes(self) -> int:
        """The head with the first kernels."""
        return self.heads_bytes[0]

    @property
    def unplanned_head_bytes(self) -> int:
        """The head with the first kernels, without this plan."""
        return self.unplanned_heads_bytes[0]

    @property
    def proven(self) -> bool:
        """Whether no plan needs less, with the first kernels."""
        return self.head_bytes == self.lower_bound_bytes

    @property
    def saved_bytes(self) -> int:
        """Bytes of the arena that the plan saves with the first kernels."""
        return self.unplanned_head_bytes - self.head_bytes

    @property
    def is_reordered(self) -> bool:
        """Whether the operators run in another order than in the file."""
        return self.operators != tuple(range(len(self.operators)))

    @property
    def arrangement(self) -> Arrangement:
        """What of the plan holds at other widths too."""
        return Arrangement(self.operators, self.in_place > 0)


@dataclasses.dataclass(frozen=True)
class _Variant:
    """An order, with or without shared places, and what to keep free for scratch memory.

    Attributes:
        operators: The order.
        place: Tensors that lie in the place of another.
        buffers: What is to be placed.
        floors_bytes: What no plan of this order and these places is below, per set of kernels.
        is_exact: Whether no more is kept free than the first kernels need.
    """

    operators: tuple[int, ...]
    place: Mapping[int, int]
    buffers: tuple[Buffer, ...]
    floors_bytes: tuple[int, ...]
    is_exact: bool


def plan_offline(
    graph: Graph,
    scratch: Sequence[ScratchRequest] = (),
    *,
    others: Sequence[Sequence[ScratchRequest]] = (),
    reorder: bool = True,
    in_place: bool = True,
    time_limit_s: float = TIME_LIMIT_S,
) -> OfflinePlan:
    """Return the smallest offline plan that was found.

    The head with the first kernels counts first, then the sum of those with the others, none of
    which may grow. Of equal plans the one that changes least is chosen: the given order before
    another, places of their own before shared ones, the file as it is before any change.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: What the kernels ask for.
        others: The same for other kernels that the file may run with.
        reorder: Whether operators may run in another order.
        in_place: Whether tensors may share a place.
        time_limit_s: Seconds after which the best plan found is returned.

    Raises:
        InputError: The time limit is negative.
    """
    if time_limit_s < 0:
        raise InputError(f"time_limit_s={time_limit_s}: give 0 seconds or more")
    kernels = (scratch, *others)
    order = _order(graph, scratch, reorder, in_place)
    as_it_is = tuple(_head_bytes(graph, requests) for requests in kernels)
    best = OfflinePlan(tuple(range(len(graph.operators))), None, as_it_is, as_it_is)
    bounds: dict[tuple[tuple[int, ...], int], int] = {}
    variants = _variants(graph, kernels, order, in_place)
    deadline = time.monotonic() + time_limit_s
    for left, variant in zip(range(len(variants), 0, -1), variants, strict=True):
        bound = variant.floors_bytes[0]
        if _worth(variant.floors_bytes) < _worth(best.heads_bytes):
            limit_s = max(0.0, deadline - time.monotonic()) / left
            plan = optimal_plan(variant.buffers, time_limit_s=limit_s)
            bound = plan.lower_bound_bytes if variant.is_exact else bound
            best = min(best, _shipped(graph, kernels, variant, plan, as_it_is), key=_rank)
        kind = (variant.operators, len(variant.place))
        bounds[kind] = max(bound, bounds.get(kind, 0))
    lowest = order.lower_bound_bytes
    if is_only_order(graph) or not reorder:
        lowest = max(lowest, min(bounds.values()))
    return dataclasses.replace(best, lower_bound_bytes=min(lowest, best.head_bytes))


def arranged(graph: Graph, arrangement: Arrangement) -> Graph:
    """Return the graph in the order of an arrangement, with room for a plan in its file.

    Args:
        graph: A graph, its widths known or open.
        arrangement: Of this graph, at whatever widths.
    """
    moved = reordered(graph, arrangement.operators)
    return dataclasses.replace(moved, offline_offsets=(LEFT_TO_RUNTIME,) * len(graph.tensors))


def arranged_buffers(
    moved: Graph, scratch: Sequence[ScratchRequest], arrangement: Arrangement
) -> tuple[Buffer, ...]:
    """Return what a plan of an arrangement places.

    Args:
        moved: What :func:`arranged` returned.
        scratch: What the kernels of ``moved`` ask for.
        arrangement: The arrangement.
    """
    place = shared_places(moved) if arrangement.is_in_place else {}
    return room_buffers(moved, scratch, place)


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
    graph: Graph, kernels: Sequence[Sequence[ScratchRequest]], order: Ordering, in_place: bool
) -> list[_Variant]:
    """Return what may be tried, the least demanding first; of equals the least changed."""
    given = tuple(range(len(graph.operators)))
    found: list[_Variant] = []
    for operators, shared in itertools.product(
        dict.fromkeys([given, order.operators]), [False, True] if in_place else [False]
    ):
        moved = reordered(graph, operators)
        place = shared_places(moved) if shared else {}
        requests = [reordered_scratch(scratch, operators) for scratch in kernels]
        placed = [room_buffers(moved, scratch, place) for scratch in requests]
        floors = tuple(floor_bytes(packing_of(buffers)) for buffers in placed)
        most = room_buffers(moved, _largest(requests), place)
        for reserved in dict.fromkeys([most, placed[0]]):
            found.append(_Variant(operators, place, reserved, floors, reserved == placed[0]))
    return sorted(found, key=lambda variant: _worth(variant.floors_bytes))


def _largest(kernels: Sequence[Sequence[ScratchRequest]]) -> list[ScratchRequest]:
    """Return for each operator the most that any kernels ask for, in one piece."""
    most: dict[int, int] = {}
    for scratch in kernels:
        for buffer in scratch_buffers(scratch):
            operator = buffer.first_step - 1
            most[operator] = max(most.get(operator, 0), int(buffer.size_bytes))
    return [ScratchRequest(operator, size_bytes) for operator, size_bytes in sorted(most.items())]


def _shipped(
    graph: Graph,
    kernels: Sequence[Sequence[ScratchRequest]],
    variant: _Variant,
    plan: MemoryPlan,
    as_it_is: tuple[int, ...],
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
    heads = []
    for scratch in kernels:
        used = greedy_plan(buffers(moved, reordered_scratch(scratch, variant.operators)))
        require_intact(moved, offsets, _scratch_places(used))
        heads.append(used.size_bytes)
    shared = len(variant.place)
    return OfflinePlan(variant.operators, offsets, tuple(heads), as_it_is, in_place=shared)


def _scratch_places(plan: MemoryPlan) -> dict[int, list[tuple[int, int]]]:
    places: dict[int, list[tuple[int, int]]] = {}
    for buffer, offset in zip(plan.buffers, plan.offsets_bytes, strict=True):
        if buffer.tensor is None:
            place = (offset, int(buffer.size_bytes))
            places.setdefault(buffer.first_step - 1, []).append(place)
    return places


def _head_bytes(graph: Graph, scratch: Sequence[ScratchRequest]) -> int:
    return greedy_plan(buffers(graph, scratch)).size_bytes


def _worth(heads_bytes: Sequence[int]) -> tuple[int, int]:
    return heads_bytes[0], sum(heads_bytes[1:])


def _rank(plan: OfflinePlan) -> tuple[bool, int, int]:
    pairs = zip(plan.heads_bytes, plan.unplanned_heads_bytes, strict=True)
    return any(after > before for after, before in pairs), *_worth(plan.heads_bytes)
