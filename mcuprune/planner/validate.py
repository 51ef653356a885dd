"""Checks a memory plan pair by pair, knowing nothing of how it was made."""

from __future__ import annotations

import itertools

from mcuprune.errors import PlanError
from mcuprune.planner.greedy import MemoryPlan
from mcuprune.planner.lifetimes import BUFFER_ALIGNMENT_BYTES, Buffer


def validate_plan(plan: MemoryPlan) -> None:
    """Raise unless no two buffers in use at the same step share a byte.

    Raises:
        PlanError: ``failure`` is ``"count"`` (not one offset per buffer), ``"lifetime"`` (a buffer
            ends before it starts), ``"negative"`` (an offset below 0), ``"alignment"`` (an offset
            or a size is no multiple of 16), ``"moved"`` (not at its prescribed offset) or
            ``"overlap"``.
    """
    if len(plan.buffers) != len(plan.offsets_bytes):
        raise PlanError(
            f"{len(plan.offsets_bytes)} offsets for {len(plan.buffers)} buffers: "
            "give one offset per buffer",
            failure="count",
        )
    placed = list(zip(plan.buffers, plan.offsets_bytes, strict=True))
    for buffer, offset_bytes in placed:
        _check_one(buffer, offset_bytes)
    for (one, one_offset), (other, other_offset) in itertools.combinations(placed, 2):
        _check_pair(one, one_offset, other, other_offset)


def _check_one(buffer: Buffer, offset_bytes: int) -> None:
    name = _name(buffer)
    if buffer.last_step < buffer.first_step:
        raise PlanError(
            f"{name} ends at step {buffer.last_step}, before it starts at {buffer.first_step}",
            failure="lifetime",
        )
    if offset_bytes < 0:
        raise PlanError(f"{name} lies at the negative offset {offset_bytes}", failure="negative")
    if offset_bytes % BUFFER_ALIGNMENT_BYTES or buffer.size_bytes % BUFFER_ALIGNMENT_BYTES:
        raise PlanError(
            f"{name} of {buffer.size_bytes} B lies at {offset_bytes}: offsets and sizes are "
            f"multiples of {BUFFER_ALIGNMENT_BYTES} B",
            failure="alignment",
        )
    prescribed = buffer.offline_offset_bytes
    if prescribed is not None and prescribed != offset_bytes:
        raise PlanError(
            f"{name} lies at {offset_bytes}, but the file prescribes {prescribed}", failure="moved"
        )


def _check_pair(one: Buffer, one_offset: int, other: Buffer, other_offset: int) -> None:
    in_use_together = one.first_step <= other.last_step and other.first_step <= one.last_step
    apart = (
        one_offset + one.size_bytes <= other_offset or other_offset + other.size_bytes <= one_offset
    )
    if in_use_together and not apart:
        raise PlanError(
            f"{_name(one)} at {one_offset}..{one_offset + one.size_bytes} and {_name(other)} at "
            f"{other_offset}..{other_offset + other.size_bytes} overlap while both are in use "
            f"(steps {one.first_step}-{one.last_step} and {other.first_step}-{other.last_step})",
            failure="overlap",
        )


def _name(buffer: Buffer) -> str:
    return "scratch memory" if buffer.tensor is None else f"tensor {buffer.tensor}"
