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
    offsets: dict[int, int] = {}
    placed: list[int] = []  # by offset; of equal offsets the one placed earlier first
    for index in _placing_order(buffers):
        prescribed = buffers[index].offline_offset_bytes
        if prescribed is None:
            in_use = [i for i in placed if buffers[i].meets(buffers[index])]
            offsets[index] = _lowest_gap(buffers, offsets, in_use, buffers[index].size_bytes)
        else:
            offsets[index] = prescribed
        bisect.insort_right(placed, index, key=lambda i: offsets[i])
    return MemoryPlan(tuple(buffers), tuple(offsets[i] for i in range(len(buffers))))


def _placing_order(buffers: Sequence[Buffer]) -> list[int]:
    prescribed = [i for i, b in enumerate(buffers) if b.offline_offset_bytes is not None]
    free = [i for i, b in enumerate(buffers) if b.offline_offset_bytes is None]
    return prescribed + sorted(free, key=lambda i: (-buffers[i].size_bytes, -i))


def _lowest_gap(
    buffers: Sequence[Buffer], offsets: dict[int, int], in_use: Sequence[int], size_bytes: int
) -> int:
    """Return the lowest offset with ``size_bytes`` free below the next buffer in use."""
    candidate = 0
    for index in in_use:
        if offsets[index] - candidate >= size_bytes:
            break
        candidate = max(candidate, offsets[index] + buffers[index].size_bytes)
    return candidate
