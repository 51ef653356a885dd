"""Walks a schedule event by event, counts bytes, and refuses whatever is absent.

The replayer knows nothing of how the schedule was found, nor of offsets: it answers whether every
operator finds what it reads, and how many bytes each memory holds at each moment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.errors import PlanError
from mcuprune.ir.graph import Graph
from mcuprune.planner.schedule import Block, Compute, Event, Free, Item, Keep, Move, Schedule


@dataclasses.dataclass(frozen=True)
class Moment:
    """The memories while one operator (or a slice of it) runs.

    Attributes:
        operator: Index of the operator.
        held_bytes: Bytes reserved per memory.
    """

    operator: int
    held_bytes: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Replay:
    """What a schedule needs.

    Attributes:
        peak_bytes: Largest number of bytes reserved at once, per memory.
        moments: One per :class:`Compute`, in order.
    """

    peak_bytes: Mapping[str, int]
    moments: tuple[Moment, ...]


def replay(graph: Graph, schedule: Schedule) -> Replay:
    """Walk a schedule.

    Args:
        graph: The graph that the schedule executes.
        schedule: Its events.

    Raises:
        PlanError: ``failure`` is ``"absent"`` (an item is used, moved or freed that is not in that
            memory), ``"empty"`` (it is there but nothing has written it), ``"present"`` (it is
            reserved twice), ``"unread"`` (a whole operator runs without one of its inputs),
            ``"capacity"``, ``"skipped"`` (an operator never runs) or ``"output"`` (an output is
            missing at the end).
    """
    machine = _Machine(graph, dict(schedule.capacity_bytes))
    for event in schedule.events:
        machine.do(event)
    machine.finish(schedule.outputs)
    return Replay(machine.peak_bytes, tuple(machine.moments))


class _Machine:
    """Memories by name, each holding items with their size and whether they hold data."""

    def __init__(self, graph: Graph, capacity_bytes: Mapping[str, int]) -> None:
        self._graph = graph
        self._capacity_bytes = capacity_bytes
        self._sizes: dict[tuple[str, Item], int] = {}
        self._filled: set[tuple[str, Item]] = set()
        self._computed: set[int] = set()
        self.peak_bytes: dict[str, int] = {}
        self.moments: list[Moment] = []

    def do(self, event: Event) -> None:
        match event:
            case Keep(item, size_bytes, memory, is_filled):
                self._reserve(item, size_bytes, memory, is_filled)
            case Free(item, memory):
                self._release(item, memory)
            case Move(item, source, target):
                is_filled = (source, item) in self._filled
                self._reserve(item, self._size_of(item, source), target, is_filled)
                self._release(item, source)
            case Compute():
                self._compute(event)

    def finish(self, outputs: tuple[Block, ...]) -> None:
        for operator in self._graph.operators:
            if operator.index not in self._computed:
                raise PlanError(
                    f"operator {operator.index} ({operator.kind}) never runs", failure="skipped"
                )
        held = {item for _, item in self._filled}
        for block in outputs:
            if block not in held:
                raise PlanError(f"the output {block} is missing at the end", failure="output")

    def _reserve(self, item: Item, size_bytes: int, memory: str, is_filled: bool) -> None:
        if (memory, item) in self._sizes:
            raise PlanError(f"{item} is already in {memory}", failure="present")
        self._sizes[memory, item] = size_bytes
        if is_filled:
            self._filled.add((memory, item))
        held = self._held_bytes(memory)
        self.peak_bytes[memory] = max(held, self.peak_bytes.get(memory, 0))
        capacity = self._capacity_bytes.get(memory)
        if capacity is not None and held > capacity:
            raise PlanError(
                f"{item} brings {memory} to {held} B, it has {capacity} B", failure="capacity"
            )

    def _release(self, item: Item, memory: str) -> None:
        self._size_of(item, memory)
        del self._sizes[memory, item]
        self._filled.discard((memory, item))

    def _compute(self, event: Compute) -> None:
        for block in event.reads:
            self._size_of(block, event.memory)
            if (event.memory, block) not in self._filled:
                raise PlanError(
                    f"operator {event.operator} reads {block}, which nothing has written",
                    failure="empty",
                )
        room: tuple[Item, ...] = (*event.writes, *event.scratch)
        for item in room:
            self._size_of(item, event.memory)
        self._check_reads_all(event)
        self._filled.update((event.memory, block) for block in event.writes)
        self._computed.add(event.operator)
        memories = dict.fromkeys(memory for memory, _ in self._sizes)
        self.moments.append(Moment(event.operator, {m: self._held_bytes(m) for m in memories}))

    def _check_reads_all(self, event: Compute) -> None:
        if any(block.part is not None for block in (*event.reads, *event.writes)):
            return
        read = {block.tensor for block in event.reads}
        for index in self._graph.operators[event.operator].inputs:
            if index >= 0 and index not in read and self._must_be_held(index):
                raise PlanError(
                    f"operator {event.operator} runs without its input tensor {index}",
                    failure="unread",
                )

    def _must_be_held(self, index: int) -> bool:
        tensor = self._graph.tensors[index]
        return not (tensor.is_constant or tensor.is_variable) and tensor.size_bytes > 0

    def _size_of(self, item: Item, memory: str) -> int:
        if (memory, item) not in self._sizes:
            raise PlanError(f"{item} is not in {memory}", failure="absent")
        return self._sizes[memory, item]

    def _held_bytes(self, memory: str) -> int:
        return sum(size for (where, _), size in self._sizes.items() if where == memory)
