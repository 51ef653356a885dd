"""The memory plan that TFLM's greedy planner makes, offset by offset.

The largest buffer goes first, each following one into the lowest gap between the buffers already
placed that are in use at the same time. Of equal sizes the one added last goes first: TFLM fills
its list from the back and sorts it stably. Buffers with a prescribed offset are placed before all
others, in the order in which they were added.

Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc (tflite-micro 90b983c,
2026-08-20).
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Sequence

from mcuprune.planner.lifetimes import Buffer


@dataclasses.dataclass(frozen=True)
class MemoryPlan:
    """Where each buffer lies in the arena.

    Attributes:
        buffers: The buffers.
        offsets_bytes: Offset of each from the start of the arena.
    """

    buffers: tuple[Buffer, ...]
    offsets_bytes: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes from the start of the arena to the end of the last buffer."""
        ends = (o + b.size_bytes for o, b in zip(self.offsets_bytes, self.buffers, strict=True))
        return max(ends, default=0)


def greedy_plan(buffers: Sequence[Buffer]) -> MemoryPlan:
    """Place buffers as TFLM's ``GreedyMemoryPlanner`` does.

    Args:
        buffers: In the order in which TFLM adds them (:func:`mcuprune.planner.lifetimes.buffers`).

    >>> plan = greedy_plan([Buffer(0, 32, 0, 1), Buffer(1, 64, 1, 2), Buffer(2, 16, 2, 3)])
    >>> plan.offsets_bytes, plan.size_bytes
    ((64, 0, 64), 96)
    """
    sizes_bytes = [buffer.size_bytes for buffer in buffers]
    prescribed = [buffer.offline_offset_bytes for buffer in buffers]
    offsets_bytes = place(sizes_bytes, neighbours(buffers), prescribed)
    return MemoryPlan(tuple(buffers), tuple(offsets_bytes))


def neighbours(buffers: Sequence[Buffer]) -> list[list[int]]:
    """Return for each buffer the others that are in use at some same step; sizes play no part."""
    return [
        [j for j, other in enumerate(buffers) if i != j and buffer.meets(other)]
        for i, buffer in enumerate(buffers)
    ]


def place(
    sizes_bytes: Sequence[int],
    neighbours: Sequence[Sequence[int]],
    prescribed: Sequence[int | None],
) -> list[int]:
    """Return the offset of each buffer.

    Apart from :func:`greedy_plan` for those who plan the same buffers at many sizes.

    Args:
        sizes_bytes: Size of each buffer.
        neighbours: Who is in use together with it.
        prescribed: Its offset where the file gives one.
    """
    offsets = [0] * len(sizes_bytes)
    # Per buffer the pieces of memory that placed neighbours hold: offset, turn, end. Those of
    # equal offsets lie in the order in which they were placed.
    taken: list[list[tuple[int, int, int]]] = [[] for _ in sizes_bytes]
    for turn, index in enumerate(_placing_order(sizes_bytes, prescribed)):
        size_bytes, given = sizes_bytes[index], prescribed[index]
        offset = _lowest_gap(taken[index], size_bytes) if given is None else given
        offsets[index] = offset
        held = (offset, turn, offset + size_bytes)
        for neighbour in neighbours[index]:
            bisect.insort(taken[neighbour], held)
    return offsets


def _placing_order(sizes_bytes: Sequence[int], prescribed: Sequence[int | None]) -> list[int]:
    first = [i for i, offset in enumerate(prescribed) if offset is not None]
    free = [i for i, offset in enumerate(prescribed) if offset is None]
    return first + sorted(free, key=lambda i: (-sizes_bytes[i], -i))


def _lowest_gap(taken: Sequence[tuple[int, int, int]], size_bytes: int) -> int:
    """Return the lowest offset with ``size_bytes`` free below the next piece taken."""
    candidate = 0
    for offset, _, end in taken:
        if offset - candidate >= size_bytes:
            break
        candidate = max(candidate, end)
    return candidate
