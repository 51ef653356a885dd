"""Which runtime the firmware of a board uses."""

from __future__ import annotations

from collections.abc import Mapping

from mcuprune.boards import board
from mcuprune.cost.runtime import REFERENCE, read_table

# Every board of the catalogue has pointers of this width.
BOARD_POINTER_BITS = 32


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
