"""Reads Thumb instructions as far as their timing needs it: length and kind.

Encodings: Arm, ARMv7-M Architecture Reference Manual (DDI 0403), chapter A5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

ALU, MULTIPLY, MULTIPLY_LONG, DIVIDE = "alu", "multiply", "multiply_long", "divide"
LOAD, STORE, LOAD_MULTIPLE, STORE_MULTIPLE = "load", "store", "load_multiple", "store_multiple"
BRANCH, TABLE_BRANCH, FLOAT = "branch", "table_branch", "float"
KINDS = (
    ALU,
    MULTIPLY,
    MULTIPLY_LONG,
    DIVIDE,
    LOAD,
    STORE,
    LOAD_MULTIPLE,
    STORE_MULTIPLE,
    BRANCH,
    TABLE_BRANCH,
    FLOAT,
)


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One Thumb instruction.

    Attributes:
        kind: One of :data:`KINDS`.
        registers: How many registers a load or store of several moves, else 0.
        branches: Whether it writes the program counter, or can.
    """

    kind: str
    registers: int = 0
    branches: bool = False


def is_wide(halfword: int) -> bool:
    """Tell whether an instruction has 32 bits, by its first 16.

    >>> is_wide(0xF000), is_wide(0xE7FE)
    (True, False)
    """
    return halfword >> 11 in (0b11101, 0b11110, 0b11111)


def count_instructions(code: bytes) -> int:
    """Return how many instructions a stretch of code holds.

    >>> count_instructions(bytes.fromhex("0130 00f0 00f8"))
    2
    """
    return sum(1 for _ in _split(code))


def decode(code: bytes) -> list[Instruction]:
    """Return the instructions of a stretch of code.

    >>> decode(bytes.fromhex("0130"))  # adds r0, #1
    [Instruction(kind='alu', registers=0, branches=False)]
    """
    return [
        _narrow(first) if second is None else _wide(first, second) for first, second in _split(code)
    ]


def _split(code: bytes) -> Iterator[tuple[int, int | None]]:
    place = 0
    while place + 2 <= len(code):
        first = int.from_bytes(code[place : place + 2], "little")
        if is_wide(first) and place + 4 <= len(code):
            yield first, int.from_bytes(code[place + 2 : place + 4], "little")
            place += 4
        else:
            yield first, None
            place += 2


def _narrow(word: int) -> Instruction:
    top = word >> 12
    if 0x4340 <= word < 0x4380:
        return Instruction(MULTIPLY)
    if word >> 8 == 0x47 or word & 0xFF87 in (0x4487, 0x4687):
        return Instruction(BRANCH, branches=True)
    if word >> 11 == 0b01001:
        return Instruction(LOAD)
    if top == 0x5:
        return Instruction(STORE if (word >> 9) & 7 < 3 else LOAD)
    if 0x6 <= top <= 0x9:
        return Instruction(LOAD if word & 0x800 else STORE)
    if top == 0xB:
        return _miscellaneous(word)
    if top == 0xC:
        return Instruction(LOAD_MULTIPLE if word & 0x800 else STORE_MULTIPLE, _ones(word & 0xFF))
    if top in (0xD, 0xE):
        return Instruction(BRANCH, branches=True)
    return Instruction(ALU)


def _miscellaneous(word: int) -> Instruction:
    if word & 0xFE00 == 0xB400:
        return Instruction(STORE_MULTIPLE, _ones(word & 0x1FF))
    if word & 0xFE00 == 0xBC00:
        return Instruction(LOAD_MULTIPLE, _ones(word & 0x1FF), branches=bool(word & 0x100))
    is_compare_and_branch = word & 0xF500 == 0xB100
    return Instruction(BRANCH, branches=True) if is_compare_and_branch else Instruction(ALU)


def _wide(first: int, second: int) -> Instruction:
    if first & 0xFE00 == 0xE800:
        return _multiple(first, second)
    if first & 0xEC00 == 0xEC00:
        return Instruction(FLOAT)
    if first & 0xF800 == 0xF000:
        return _branch_or_immediate(first, second)
    if first & 0xFE00 == 0xF800:
        loads_counter = second >> 12 == 15 and first & 0x70 == 0x50
        return Instruction(LOAD if first & 0x10 else STORE, branches=loads_counter)
    if first & 0xFF80 == 0xFB00:
        return Instruction(MULTIPLY)
    if first & 0xFF80 == 0xFB80:
        divides = first & 0xFFD0 == 0xFB90 and second & 0xF0 == 0xF0
        return Instruction(DIVIDE if divides else MULTIPLY_LONG)
    return Instruction(ALU)


def _multiple(first: int, second: int) -> Instruction:
    kind = LOAD_MULTIPLE if first & 0x10 else STORE_MULTIPLE
    if not first & 0x40:
        loads_counter = kind == LOAD_MULTIPLE and bool(second & 0x8000)
        return Instruction(kind, _ones(second), branches=loads_counter)
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
        return Instruction(TABLE_BRANCH, branches=True)
    is_exclusive = first & 0xFF60 == 0xE840
    return Instruction(kind, 1 if is_exclusive else 2)


def _branch_or_immediate(first: int, second: int) -> Instruction:
    if not second & 0x8000:
        return Instruction(ALU)
    is_conditional = second & 0xD000 == 0x8000
    if is_conditional and first & 0x380 == 0x380:
        return Instruction(ALU)  # MSR, MRS, barriers
    return Instruction(BRANCH, branches=True)


def _ones(mask: int) -> int:
    return mask.bit_count()
