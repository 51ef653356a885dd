"""What the firmware's harness writes: one record per inference, with its answer."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.engines.firmware_build import Firmware
from mcuprune.errors import EngineError, FirmwareError

# `struct record` of firmware/harness.c: kind, status, stack_bytes, arena_bytes.
_RECORD = struct.Struct("<4siII")
RECORD_BYTES = _RECORD.size
_START, _INFERENCE, _FAULT = b"STRT", b"INFR", b"FALT"


@dataclasses.dataclass(frozen=True)
class Answers:
    """The records of a run.

    Attributes:
        outputs: Answers as bytes, int8, shape ``(n, output_bytes)``.
        stack_bytes: Deepest stack of any inference.
        start_stack_bytes: Deepest stack while the runtime started.
        arena_bytes: Largest part of the arena that any inference touched.
    """

    outputs: Array
    stack_bytes: int
    start_stack_bytes: int
    arena_bytes: int


@dataclasses.dataclass(frozen=True)
class _Record:
    kind: bytes
    status: int
    stack_bytes: int
    arena_bytes: int
    answer: bytes


def read_answers(firmware: Firmware, contents: bytes, expected: int) -> Answers:
    """Read the file that a firmware wrote.

    Args:
        firmware: Who wrote it.
        contents: The file's bytes.
        expected: How many inputs it was given.

    Raises:
        FirmwareError: It faulted, the runtime refused the model, the stack overflowed, or it
            stopped early.
    """
    records = _records(contents, firmware.output_bytes)
    for record in records:
        _require_success(firmware, record)
    inferences = [record for record in records if record.kind == _INFERENCE]
    if len(inferences) != expected or records[0].kind != _START:
        raise FirmwareError(
            f"the firmware stopped after {len(inferences)} of {expected} inputs without a word: "
            "run it with the simulator cortexm, which names what went wrong"
        )
    return Answers(
        np.stack([np.frombuffer(record.answer, np.int8) for record in inferences]),
        max(record.stack_bytes for record in inferences),
        records[0].stack_bytes,
        max(record.arena_bytes for record in inferences),
    )


def _records(contents: bytes, output_bytes: int) -> Sequence[_Record]:
    records, place = [], 0
    while place + _RECORD.size <= len(contents):
        kind, status, stack_bytes, arena_bytes = _RECORD.unpack_from(contents, place)
        place += _RECORD.size
        end = place + (output_bytes if kind == _INFERENCE else 0)
        records.append(_Record(kind, status, stack_bytes, arena_bytes, contents[place:end]))
        place = end
    return records


def _require_success(firmware: Firmware, record: _Record) -> None:
    if record.kind == _FAULT:
        raise FirmwareError(_fault(firmware, record.status, record.stack_bytes))
    if record.kind not in (_START, _INFERENCE):
        raise EngineError("the firmware wrote no sound records: its harness has another version")
    if record.status:
        stage = "starting the runtime" if record.kind == _START else "an inference"
        raise FirmwareError(
            f"{stage} ended with status {record.status}: the runtime refuses the model, or its "
            "arena is too small"
        )


def stack_overflow(firmware: Firmware) -> str:
    """Return what to say of a stack that was used up."""
    bottom = firmware.layout.ram.address
    reserved = firmware.layout.stack_bytes
    return (
        f"the stack overflowed: {reserved:,} bytes are reserved for it ({bottom:#010x} to "
        f"{bottom + reserved:#010x} in {firmware.layout.ram.name}): reserve more with --stack"
    )


def _fault(firmware: Firmware, code_address: int, stack_pointer: int) -> str:
    if stack_pointer < firmware.layout.ram.address:
        return stack_overflow(firmware)
    place = firmware.program.place(code_address)
    return (
        f"the firmware faulted at {code_address:#010x} ({place}): it reached outside the memories "
        "or executed what the core does not know"
    )
