"""What lies where in the arena while each operator runs, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from mcuprune.cost.memory import arena_plan, arena_tail
from mcuprune.cost.runtime import REFERENCE
from mcuprune.ir.graph import Graph, Operator
from mcuprune.planner.in_place import places_in_file
from mcuprune.planner.lifetimes import Buffer, step_of

Role = Literal["keeps", "reads", "writes", "scratch"]
BAR_ORDER: tuple[Role, ...] = ("keeps", "reads", "writes", "scratch")
SCRATCH = "scratch"


@dataclasses.dataclass(frozen=True)
class Block:
    """A piece of the arena's head: a tensor, or scratch memory of a kernel.

    Attributes:
        name: The tensor's name, or ``scratch``.
        shape: Without the batch; empty for scratch memory.
        dtype: TFLite's name of the type; empty for scratch memory.
        size_bytes: A multiple of 16.
        offset_bytes: From the start of the arena.
        first_operator: Index of the first operator during which it is in use.
        last_operator: Index of the last one.
        in_place_of: Name of the tensor over which it is written, None for a place of its own.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    size_bytes: int
    offset_bytes: int
    first_operator: int
    last_operator: int
    in_place_of: str | None = None


@dataclasses.dataclass(frozen=True)
class LiveTensor:
    """A tensor in the arena while an operator runs.

    Attributes:
        name: The tensor's name.
        shape: Without the batch.
        size_bytes: Bytes in the arena, a multiple of 16.
        role: Whether the operator ``reads`` it, ``writes`` it, it ``keeps`` for a later operator,
            or it is ``scratch`` of the kernel.
        block: Its number among the blocks of the arena.
    """

    name: str
    shape: tuple[int, ...]
    size_bytes: int
    role: Role
    block: int = 0


@dataclasses.dataclass(frozen=True)
class Step:
    """An operator and what lies in the arena while it runs.

    Attributes:
        index: Position in the execution order.
        kind: TFLite's operator name.
        live: Tensors in the arena, in the order of :data:`BAR_ORDER`; those that share a place are
            counted once.
    """

    index: int
    kind: str
    live: tuple[LiveTensor, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all live tensors."""
        return sum(tensor.size_bytes for tensor in self.live)


@dataclasses.dataclass(frozen=True)
class Arena:
    """The arena of a model, by offset and by operator. All numbers are planned or predicted.

    Attributes:
        blocks: What lies in the head, in the order in which TFLM adds it.
        steps: What is live at each operator.
        head_bytes: Bytes of the head under the plan that TFLM makes or the file brings.
        tail_bytes: Bytes that TFLM keeps for good: structures, multipliers and shifts.
        is_planned_in_file: Whether the file brings the plan.
    """

    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]
    head_bytes: int
    tail_bytes: int
    is_planned_in_file: bool

    @property
    def total_bytes(self) -> int:
        """Bytes of head and tail."""
        return self.head_bytes + self.tail_bytes


def arena(graph: Graph, runtime: str = REFERENCE, pointer_bits: int | None = None) -> Arena:
    """Return what lies where in the arena of a graph whose dimensions are ints.

    Args:
        graph: The model.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: Width of a pointer; None for what the runtime usually has.
    """
    plan = arena_plan(graph, runtime)
    place = places_in_file(graph)
    placed = zip(plan.buffers, plan.offsets_bytes, strict=True)
    return Arena(
        blocks=tuple(_block(graph, buffer, offset, place) for buffer, offset in placed),
        steps=tuple(_step(graph, operator, plan.buffers, place) for operator in graph.operators),
        head_bytes=plan.size_bytes,
        tail_bytes=int(arena_tail(graph, pointer_bits, runtime)),
        is_planned_in_file=graph.offline_offsets is not None,
    )


def peak_step(steps: Sequence[Step]) -> Step:
    """Return the step with the most bytes; of equals the first."""
    return max(steps, key=lambda step: (step.size_bytes, -step.index))


def _block(graph: Graph, buffer: Buffer, offset_bytes: int, place: Mapping[int, int]) -> Block:
    last = len(graph.operators) - 1
    span = (min(max(0, step - 1), last) for step in (buffer.first_step, buffer.last_step))
    first_operator, last_operator = span
    name, shape, dtype, over = SCRATCH, (), "", None
    if buffer.tensor is not None:
        tensor = graph.tensors[buffer.tensor]
        name, shape, dtype = _name(graph, buffer.tensor), tuple(tensor.shape[1:]), tensor.dtype
        room = place.get(buffer.tensor)
        over = None if room is None else _name(graph, room)
    return Block(
        name, shape, dtype, buffer.size_bytes, offset_bytes, first_operator, last_operator, over
    )


def _step(
    graph: Graph, operator: Operator, planned: Sequence[Buffer], place: Mapping[int, int]
) -> Step:
    step = step_of(operator.index)
    live = [
        (number, buffer)
        for number, buffer in enumerate(planned)
        if buffer.first_step <= step <= buffer.last_step
    ]
    found = [
        _live(graph, operator, number, buffer)
        for number, buffer in live
        if not _is_overwritten(operator, buffer, place)
    ]
    found.sort(key=lambda tensor: BAR_ORDER.index(tensor.role))
    return Step(operator.index, operator.kind, tuple(found))


def _is_overwritten(operator: Operator, buffer: Buffer, place: Mapping[int, int]) -> bool:
    """Return whether the operator writes its result over a tensor."""
    if buffer.tensor is None or buffer.tensor in operator.outputs:
        return False
    room = place.get(buffer.tensor, buffer.tensor)
    return any(place.get(output) == room for output in operator.outputs)


def _live(graph: Graph, operator: Operator, number: int, buffer: Buffer) -> LiveTensor:
    index, size_bytes = buffer.tensor, buffer.size_bytes
    if index is None:
        return LiveTensor(SCRATCH, (), size_bytes, "scratch", number)
    role: Role = "keeps"
    if index in operator.inputs:
        role = "reads"
    if index in operator.outputs:
        role = "writes"
    shape = tuple(graph.tensors[index].shape[1:])
    return LiveTensor(_name(graph, index), shape, size_bytes, role, number)


def _name(graph: Graph, index: int) -> str:
    return graph.tensors[index].name or f"tensor {index}"
