"""When each tensor must be in memory, by the rules of TFLM's memory planner.

Time is counted in steps: the inputs are filled at step 0, operator ``i`` runs at step ``i + 1``.
Both ends of a lifetime are inclusive, as in TFLM: a buffer last read at step 3 and one first
written at step 3 must not overlap.

Source: tensorflow/lite/micro/micro_allocation_info.cc (tflite-micro 90b983c, 2026-08-20).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mcuprune.ir.dim import Extent, align_up
from mcuprune.ir.graph import Graph

# MicroArenaBufferAlignment() in tensorflow/lite/micro/micro_arena_constants.h.
BUFFER_ALIGNMENT_BYTES = 16
# TFLM plans a tensor that no operator touches as if it lived before the first step.
NEVER = -1


@dataclasses.dataclass(frozen=True)
class ScratchRequest:
    """Working memory that a kernel asks for, alive only while its operator runs.

    Attributes:
        operator: Index of the operator.
        size_bytes: Bytes asked for, before alignment, known or open.
        count: 1; open, and then 0 or 1, where widths decide whether the kernel asks at all. With
            0 requests ``size_bytes`` is 0.
    """

    operator: int
    size_bytes: Extent
    count: Extent = 1


@dataclasses.dataclass(frozen=True)
class Lifetime:
    """The steps at which a tensor must be in memory, both inclusive.

    Attributes:
        tensor: Index of the tensor.
        first_step: Step at which it is written.
        last_step: Step at which it is read for the last time.
    """

    tensor: int
    first_step: int
    last_step: int

    def covers(self, step: int) -> bool:
        """Return whether the tensor is in memory at ``step``."""
        return self.first_step <= step <= self.last_step


@dataclasses.dataclass(frozen=True)
class Buffer:
    """A piece of the arena that the planner has to place.

    Attributes:
        tensor: Index of the tensor, None for scratch memory.
        size_bytes: Size, a multiple of 16; open in a graph with open widths.
        first_step: First step at which it is in use.
        last_step: Last step at which it is in use (inclusive).
        offline_offset_bytes: Offset that the file prescribes, None if the planner is free.
    """

    tensor: int | None
    size_bytes: Extent
    first_step: int
    last_step: int
    offline_offset_bytes: int | None = None

    def meets(self, other: Buffer) -> bool:
        """Return whether both are in use at some same step."""
        return self.first_step <= other.last_step and other.first_step <= self.last_step


def step_of(operator: int) -> int:
    """Return the step at which operator ``operator`` runs."""
    return operator + 1


def lifetimes(graph: Graph) -> tuple[Lifetime, ...]:
    """Return the lifetime of every tensor that the planner places, by tensor index.

    Left out are constants (they stay in the file) and variables (they are persistent), unless
    the file prescribes an arena offset for the variable.
    """
    first, last = _used_steps(graph)
    return tuple(
        Lifetime(index, first.get(index, NEVER), last.get(index, NEVER))
        for index in range(len(graph.tensors))
        if _is_planned(graph, index)
    )


def buffers(graph: Graph, scratch: Sequence[ScratchRequest] = ()) -> tuple[Buffer, ...]:
    """Return the buffers of a graph in the order in which TFLM adds them.

    Args:
        graph: A graph, its widths known or open.
        scratch: What the kernels ask for, in the order of the operators.

    Returns:
        First the tensors that hold at least one byte, then the scratch memory.
    """
    tensors = [
        Buffer(
            tensor=life.tensor,
            size_bytes=align_up(graph.tensors[life.tensor].size_bytes, BUFFER_ALIGNMENT_BYTES),
            first_step=life.first_step,
            last_step=life.last_step,
            offline_offset_bytes=_offline_offset(graph, life.tensor),
        )
        for life in lifetimes(graph)
    ]
    working = [
        Buffer(
            tensor=None,
            size_bytes=align_up(request.size_bytes, BUFFER_ALIGNMENT_BYTES),
            first_step=step_of(request.operator),
            last_step=step_of(request.operator),
        )
        for request in scratch
    ]
    return tuple(b for b in [*tensors, *working] if b.size_bytes != 0 or b.tensor is None)


def _used_steps(graph: Graph) -> tuple[dict[int, int], dict[int, int]]:
    """Return the first and the last step per tensor index."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for index in graph.inputs:
        first.setdefault(index, 0)
        last[index] = 0
    for position, operator in enumerate(graph.operators):
        step = step_of(position)
        for index in operator.outputs:
            first.setdefault(index, step)
        for index in (*operator.inputs, *operator.outputs):
            last[index] = step
    for index in graph.outputs:
        first.setdefault(index, len(graph.operators))
        last[index] = len(graph.operators)
    return first, last


def _is_planned(graph: Graph, index: int) -> bool:
    tensor = graph.tensors[index]
    if tensor.is_variable:
        return _offline_offset(graph, index) is not None
    return not tensor.is_constant


def _offline_offset(graph: Graph, index: int) -> int | None:
    offset = -1 if graph.offline_offsets is None else graph.offline_offsets[index]
    return None if offset < 0 else offset
