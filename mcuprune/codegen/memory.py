"""Where every tensor and every kernel's working memory lies in the arena."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from mcuprune.ir.dim import align_up
from mcuprune.ir.graph import Graph
from mcuprune.planner.in_place import room_buffers, shared_places
from mcuprune.planner.lifetimes import (
    BUFFER_ALIGNMENT_BYTES,
    ScratchRequest,
    lifetimes,
    step_of,
)
from mcuprune.planner.optimal import OptimalPlan, optimal_plan
from mcuprune.planner.order import best_order, reordered, reordered_scratch
from mcuprune.planner.overwrites import require_intact
from mcuprune.planner.packing import floor_bytes, packing_of

TIME_LIMIT_S = 5.0


@dataclasses.dataclass(frozen=True)
class Arena:
    """A memory plan.

    Attributes:
        operators: Indices of the operators in the order in which they run.
        tensor_offsets: Offset of each tensor, -1 for those that lie elsewhere.
        scratch_offsets: Offset of the working memory of each operator that has some, by its index
            in the file.
        size_bytes: Bytes of the arena, a multiple of 16.
    """

    operators: tuple[int, ...]
    tensor_offsets: tuple[int, ...]
    scratch_offsets: Mapping[int, int]
    size_bytes: int


def plan_arena(graph: Graph, scratch: Mapping[int, int]) -> Arena:
    """Return the smallest arena that was found, over orders of the operators and shared places.

    Of equally small ones the first is taken: the given order, places of their own.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: Bytes of working memory per operator.
    """
    requests = [ScratchRequest(index, size) for index, size in sorted(scratch.items()) if size]
    free = dataclasses.replace(graph, offline_offsets=None)
    given = tuple(range(len(graph.operators)))
    orders = dict.fromkeys([given, best_order(free, requests).operators])
    choices = [
        _Choice.of(free, requests, order, shared)
        for order, shared in itertools.product(orders, (False, True))
    ]
    best: Arena | None = None
    for choice in sorted(choices, key=lambda choice: choice.floor_bytes):
        if best is None or choice.floor_bytes < best.size_bytes:
            found = choice.planned(free, scratch)
            best = found if best is None or found.size_bytes < best.size_bytes else best
    assert best is not None
    return best


def with_readable_end(graph: Graph, arena: Arena, reads_past: Mapping[int, int]) -> Arena:
    """Return the arena, longer where a kernel reads whole words at its very end.

    Args:
        graph: The graph.
        arena: A plan of it.
        reads_past: Bytes per tensor that are read after it.
    """
    ends = [
        arena.tensor_offsets[tensor] + int(graph.tensors[tensor].size_bytes) + more
        for tensor, more in reads_past.items()
    ]
    size = align_up(max([arena.size_bytes, *ends]), BUFFER_ALIGNMENT_BYTES)
    return dataclasses.replace(arena, size_bytes=int(size))


def spare_bytes(graph: Graph, arena: Arena) -> tuple[int, ...]:
    """Return the bytes of an arena that no tensor takes while each operator runs.

    They need not lie side by side, so a plan must still show that they can be used.
    """
    moved = reordered(dataclasses.replace(graph, offline_offsets=None), arena.operators)
    taken = [0] * len(graph.operators)
    for position, old in enumerate(arena.operators):
        live = {
            (arena.tensor_offsets[life.tensor], int(graph.tensors[life.tensor].size_bytes))
            for life in lifetimes(moved)
            if life.covers(step_of(position))
        }
        taken[old] = sum(int(align_up(size, BUFFER_ALIGNMENT_BYTES)) for _, size in live)
    return tuple(max(0, arena.size_bytes - bytes_) for bytes_ in taken)


@dataclasses.dataclass(frozen=True)
class _Choice:
    order: tuple[int, ...]
    graph: Graph
    requests: tuple[ScratchRequest, ...]
    place: Mapping[int, int]
    floor_bytes: int

    @classmethod
    def of(
        cls, graph: Graph, scratch: Sequence[ScratchRequest], order: tuple[int, ...], shared: bool
    ) -> _Choice:
        moved = reordered(graph, order)
        place = shared_places(moved) if shared else {}
        requests = reordered_scratch(scratch, order)
        floor = floor_bytes(packing_of(room_buffers(moved, requests, place)))
        return cls(order, moved, requests, place, floor)

    def planned(self, graph: Graph, scratch: Mapping[int, int]) -> Arena:
        plan = optimal_plan(
            room_buffers(self.graph, self.requests, self.place), time_limit_s=TIME_LIMIT_S
        )
        rooms = {
            buffer.tensor: offset
            for buffer, offset in zip(plan.buffers, plan.offsets_bytes, strict=True)
            if buffer.tensor is not None
        }
        offsets = tuple(
            rooms.get(self.place.get(index, index), -1) for index in range(len(graph.tensors))
        )
        working = self._working_memory(plan)
        places = {
            position: [(working[old], scratch[old])]
            for position, old in enumerate(self.order)
            if old in working
        }
        require_intact(self.graph, offsets, places)
        return Arena(self.order, offsets, working, plan.size_bytes)

    def _working_memory(self, plan: OptimalPlan) -> dict[int, int]:
        operator_at = {step_of(position): old for position, old in enumerate(self.order)}
        return {
            operator_at[buffer.first_step]: offset
            for buffer, offset in zip(plan.buffers, plan.offsets_bytes, strict=True)
            if buffer.tensor is None
        }
