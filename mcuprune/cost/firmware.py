"""Whose memory a budget is about: the runtime, its pointers and its code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.boards import board
from mcuprune.budget import Budget
from mcuprune.cost.code import runtime_code_bytes
from mcuprune.cost.runtime import REFERENCE, load_runtime, read_table
from mcuprune.ir.graph import Graph

# Every board of the catalogue has pointers of this width.
BOARD_POINTER_BITS = 32


@dataclasses.dataclass(frozen=True)
class Target:
    """The runtime whose memory is counted.

    Attributes:
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: Width of a pointer, None for what the runtime usually has.
        has_code: Whether the runtime's code is in the flash that is counted.
    """

    runtime: str = REFERENCE
    pointer_bits: int | None = None
    has_code: bool = False

    def code_bytes(self, graph: Graph) -> int | None:
        """Return the bytes of code counted as flash, 0 if none is, None where not known."""
        if not self.has_code:
            return 0
        kinds = (operator.kind for operator in graph.operators)
        return runtime_code_bytes(kinds, load_runtime(self.runtime, self.pointer_bits))


# TFLM as its Python package runs it: what can be measured anywhere, and no less than a device's
# arena with reference kernels.
HOST = Target()


def target_of(budget: Budget | None) -> Target:
    """Return what a budget is counted for: its board's firmware, or the host without a board."""
    if budget is None or budget.board is None:
        return HOST
    return Target(runtime_of_board(budget.board), BOARD_POINTER_BITS, has_code=True)


def runtime_of_board(name: str) -> str:
    """Return the runtime that firmware for a board uses.

    Raises:
        UnknownNameError: No such board; names the nearest.

    >>> runtime_of_board("nucleo-l4r5zi"), runtime_of_board("arduino-nano-33-ble")
    ('tflm-cmsis-nn', 'tflm-arduino')
    """
    core = board(name).core
    boards: Mapping[str, str] = read_table("tflm_cmsis_nn")["boards"]
    return boards.get(name) or runtime_of_core(core)


def runtime_of_core(core: str) -> str:
    """Return the runtime that firmware for a core uses: CMSIS-NN's where it has kernels for it.

    >>> runtime_of_core("cortex-m4"), runtime_of_core("xtensa-lx6"), runtime_of_core("riscv")
    ('tflm-cmsis-nn', 'tflm-esp32', 'tflm-reference')
    """
    cores: Mapping[str, str] = read_table("tflm_cmsis_nn")["cores"]
    return cores.get(core, REFERENCE)
