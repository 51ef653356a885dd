"""Cycles of a block of instructions on a core, by the manual's table for that core."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import yaml

from mcuprune import catalogue
from mcuprune.engines.thumb import (
    LOAD,
    LOAD_MULTIPLE,
    STORE,
    STORE_MULTIPLE,
    Instruction,
    decode,
)

FOLDER, TABLE = "cost_models/simulators", "cortex_m_cycles"


@dataclasses.dataclass(frozen=True)
class CoreCycles:
    """What instructions take on a core whose memories answer at once.

    Attributes:
        cycles: Cycles by kind of instruction; for loads and stores of several registers, without
            those for the registers.
        per_register: Further cycles for each register of these.
        pipeline_refill: Further cycles when a branch is taken.
        pipelined_load: Cycles of a load that follows a load, where that is fewer.
        source: The manual.
    """

    cycles: Mapping[str, int]
    per_register: int
    pipeline_refill: int
    pipelined_load: int
    source: str

    def block(self, code: bytes) -> int:
        """Return the cycles of a stretch of code that runs through, no branch taken."""
        total, previous = 0, None
        for instruction in decode(code):
            total += self._instruction(instruction, previous)
            previous = instruction
        return total

    def _instruction(self, instruction: Instruction, previous: Instruction | None) -> int:
        kind = instruction.kind
        if kind in (LOAD_MULTIPLE, STORE_MULTIPLE):
            return self.cycles[kind] + self.per_register * instruction.registers
        if kind in (LOAD, STORE) and previous is not None and previous.kind == LOAD:
            return min(self.pipelined_load, self.cycles[kind])
        return self.cycles[kind]


def core_cycles(core: str) -> CoreCycles | None:
    """Return what instructions take on a core, None where its maker does not publish it.

    >>> core_cycles("cortex-m4").block(bytes.fromhex("0868 4968 8842"))  # ldr, ldr, cmp
    4
    """
    path = catalogue.find(FOLDER, TABLE, "table")
    cores = yaml.safe_load(path.read_text(encoding="utf-8"))["cores"]
    return CoreCycles(**cores[core]) if core in cores else None
