"""Execution as a list of events: reserve, compute, move, free.

Today's schedules run whole operators in one SRAM. The event types already carry what later ones
need: a slice of a tensor, several memories, moves between them; an operator computed twice is
recomputation. What an event list does is defined by :mod:`mcuprune.planner.replay`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from mcuprune.ir.graph import Graph, Operator
from mcuprune.planner.lifetimes import Buffer, ScratchRequest, buffers, step_of

SRAM = "sram"


@dataclasses.dataclass(frozen=True)
class Slice:
    """A part of a tensor along one axis: elements ``start`` to ``stop - 1``."""

    axis: int
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Block:
    """Data that is in a memory or absent as a whole.

    Attributes:
        tensor: Index of the tensor.
        part: The slice of it, None for all of it.
    """

    tensor: int
    part: Slice | None = None


@dataclasses.dataclass(frozen=True)
class Scratch:
    """Working memory of one operator.

    Attributes:
        operator: Index of the operator.
        request: Which of its requests.
    """

    operator: int
    request: int


Item: TypeAlias = Block | Scratch


@dataclasses.dataclass(frozen=True)
class Keep:
    """Reserve room for an item from now on.

    Attributes:
        item: The data.
        size_bytes: Room it takes, alignment included.
        memory: Name of the memory.
        is_filled: True if the caller puts the data there (a model input); otherwise it holds
            nothing until a :class:`Compute` writes it.
    """

    item: Item
    size_bytes: int
    memory: str = SRAM
    is_filled: bool = False


@dataclasses.dataclass(frozen=True)
class Compute:
    """Run an operator, or the slice of it that writes ``writes``.

    Attributes:
        operator: Index of the operator.
        reads: Blocks it reads; constants are in the file and not listed.
        writes: Blocks it writes.
        scratch: Working memory it uses.
        memory: Name of the memory that holds all of them.
    """

    operator: int
    reads: tuple[Block, ...]
    writes: tuple[Block, ...]
    scratch: tuple[Scratch, ...] = ()
    memory: str = SRAM


@dataclasses.dataclass(frozen=True)
class Move:
    """Bring an item from one memory to another; its room in ``source`` is given back."""

    item: Item
    source: str
    target: str


@dataclasses.dataclass(frozen=True)
class Free:
    """Give back the room of an item."""

    item: Item
    memory: str = SRAM


Event: TypeAlias = Keep | Compute | Move | Free


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Events in the order in which they happen.

    Attributes:
        events: The events.
        outputs: Blocks that must hold data when all events are over.
        capacity_bytes: Pairs of (memory, its size); a memory that is not named has no limit.
    """

    events: tuple[Event, ...]
    outputs: tuple[Block, ...]
    capacity_bytes: tuple[tuple[str, int], ...] = ()


def whole_operator_schedule(graph: Graph, scratch: Sequence[ScratchRequest] = ()) -> Schedule:
    """Return the schedule of TFLM: whole operators, in order, in one SRAM.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: What the kernels ask for, in the order of the operators.
    """
    placed = buffers(graph, scratch)
    events: list[Event] = list(_keeps(placed, step=0))
    for operator in graph.operators:
        events += _operator_events(operator, placed)
    held = {buffer.tensor for buffer in placed}
    return Schedule(tuple(events), tuple(Block(i) for i in graph.outputs if i in held))


def _operator_events(operator: Operator, placed: Sequence[Buffer]) -> Iterator[Event]:
    step = step_of(operator.index)
    yield from (
        Free(Block(b.tensor)) for b in placed if b.tensor is not None and b.last_step == step - 1
    )
    yield from _keeps(placed, step)
    rooms = [
        Keep(Scratch(operator.index, number), buffer.size_bytes)
        for number, buffer in enumerate(
            b for b in placed if b.tensor is None and b.first_step == step
        )
    ]
    yield from rooms
    held = {b.tensor for b in placed}
    yield Compute(
        operator=operator.index,
        reads=tuple(Block(i) for i in dict.fromkeys(operator.inputs) if i in held),
        writes=tuple(Block(i) for i in operator.outputs if i in held),
        scratch=tuple(room.item for room in rooms if isinstance(room.item, Scratch)),
    )
    yield from (Free(room.item) for room in rooms)


def _keeps(placed: Sequence[Buffer], step: int) -> Iterator[Keep]:
    for buffer in placed:
        if buffer.tensor is not None and buffer.first_step == step:
            yield Keep(Block(buffer.tensor), buffer.size_bytes, is_filled=step == 0)
