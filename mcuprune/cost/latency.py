"""Cycles of an inference: how often the parts of kernels run, times what each part takes.

The counts are functions of shape (:mod:`mcuprune.cost.cmsis_nn_loops`,
:mod:`mcuprune.cost.plain_loops`); what a part takes is in ``cost_models/kernels/latency``, one
table per core and kernel library, and how many cycles an instruction takes on a board is in the
board's file. Everything is counted in thousandths of a cycle, so that the formulas stay whole.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.boards import KERNELS_FOLDER, Board, Speed, board
from mcuprune.cost.firmware import runtime_of_board
from mcuprune.cost.kernel_tables import CALL, KernelTable, load_table
from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator

OTHER = "other"
CORE_SPEEDS = "core_speeds"
# Kinds of kernels by the beginning of their names, longer ones first.
_CLASSES = ("conv_1x1", "conv", "depthwise", "fully_connected")


@dataclasses.dataclass(frozen=True)
class Timing:
    """How a board runs kernels.

    Attributes:
        table: What their parts take.
        speed: Cycles per instruction, and where they come from.
        clock_mhz: Cycles per microsecond.
    """

    table: KernelTable
    speed: Speed
    clock_mhz: float

    def milliseconds(self, cycles: float) -> float:
        """Return how long cycles take."""
        return cycles / (self.clock_mhz * 1_000)

    def microseconds(self, millicycles: float) -> float:
        """Return how long thousandths of a cycle take."""
        return millicycles / (self.clock_mhz * 1_000)

    def cycles_per_instruction(self, kernel: str) -> float:
        """Return the cycles per instruction of a kernel."""
        rates = self.speed.cycles_per_instruction
        return rates.get(kernel_class(kernel), rates[OTHER])


@dataclasses.dataclass(frozen=True)
class Latency:
    """Where a predicted latency comes from, or why there is none.

    Attributes:
        origin: ``"measured"``, ``"published"`` or ``"inferred"``; None without a latency.
        source: What the cycles per instruction were found from.
        software: The software that was timed there.
        table: The table that the instructions come from.
        clock_mhz: Clock that the latency is for.
        error_percent: Worst error on networks left out of the fit, None if unknown.
        absent: Why there is no latency, None if there is one.
    """

    origin: str | None = None
    source: str | None = None
    software: str | None = None
    table: str | None = None
    clock_mhz: float | None = None
    error_percent: float | None = None
    absent: str | None = None


def board_timing(device: Board, runtime: str) -> Timing | None:
    """Return how a board runs the kernels of a runtime, None where that is not known.

    What a board's own file does not tell is inferred from other boards with its core.

    Args:
        device: A board of the catalogue.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
    """
    speed = next((one for one in device.speeds if one.runtime == runtime), None)
    speed = speed or core_speed(device.core, runtime)
    if speed is None:
        return None
    return Timing(load_table(speed.table), speed, speed.clock_mhz or device.clock_mhz)


def budget_timing(board_name: str | None) -> Timing:
    """Return how the board of a budget runs kernels.

    Raises:
        UnknownNameError: No such board.
        InputError: No board, or nothing is known of its speed.
    """
    if board_name is None:
        raise InputError(
            "the budget limits the latency but names no board: say which with "
            "Budget(..., board=NAME) (`mcuprune boards` lists them)"
        )
    device, runtime = board(board_name), runtime_of_board(board_name)
    timing = board_timing(device, runtime)
    if timing is None:
        raise InputError(
            f"the budget limits the latency, but nothing is known of how fast {device.name} runs "
            f"{runtime}: choose another board, or limit MACs"
        )
    return timing


def required_millicycles(graph: Graph, timing: Timing) -> Extent:
    """Return the thousandths of a cycle of one inference, where they have to be known.

    Raises:
        UnsupportedModelError: A kernel is not in the table; names it.
    """
    total = total_millicycles(graph, timing)
    if total is None:
        kernels = ", ".join(unknown_kernels(graph, timing))
        raise UnsupportedModelError(
            f"{graph.name} has a latency budget, but no table tells what these kernels take: "
            f"{kernels}; limit MACs instead"
        )
    return total


def core_speed(core: str, runtime: str) -> Speed | None:
    """Return what is inferred for any board with a core, None where nothing is known of it."""
    for entry in _core_speeds().get(core, ()):
        if entry["runtime"] == runtime:
            return Speed(**entry)
    return None


@functools.cache
def _core_speeds() -> Mapping[str, list[dict[str, Any]]]:
    path = catalogue.find(KERNELS_FOLDER, CORE_SPEEDS, "table")
    cores: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text())["cores"]
    return cores


def kernel_class(kernel: str) -> str:
    """Return which of a board's cycles per instruction hold for a kernel.

    >>> kernel_class("conv_1x1"), kernel_class("depthwise_3x3"), kernel_class("softmax")
    ('conv_1x1', 'depthwise', 'other')
    """
    return next((name for name in _CLASSES if kernel.startswith(name)), OTHER)


def operator_millicycles(graph: Graph, operator: Operator, timing: Timing) -> Extent | None:
    """Return the thousandths of a cycle of one operator, None if its kernel is not in the table.

    Args:
        graph: A graph, its widths known or open.
        operator: One of its operators.
        timing: How the board runs kernels.

    Raises:
        InputError: The operator lacks a tensor that its kind needs.
    """
    loops = timing.table.loops(graph, operator)
    instructions = timing.table.kernels.get(loops.kernel)
    if instructions is None:
        return None
    rate = timing.cycles_per_instruction(loops.kernel)
    total: Extent = _millicycles(timing.table.operator, timing.cycles_per_instruction(OTHER))
    total = total + _millicycles(instructions.get(CALL, 0.0), rate)
    for part, count in loops.counts.items():
        total = total + count * _millicycles(instructions.get(part, 0.0), rate)
    return total


def total_millicycles(graph: Graph, timing: Timing) -> Extent | None:
    """Return the thousandths of a cycle of one inference, None if any operator is unknown.

    Args:
        graph: A graph, its widths known or open; for open widths the result is a
            :class:`~mcuprune.ir.dim.Dim`.
        timing: How the board runs kernels.
    """
    total: Extent = _millicycles(timing.table.inference, timing.cycles_per_instruction(OTHER))
    for operator in graph.operators:
        millicycles = operator_millicycles(graph, operator, timing)
        if millicycles is None:
            return None
        total = total + millicycles
    return total


def board_latency_ms(graph: Graph, device: Board, runtime: str) -> float | None:
    """Return the predicted milliseconds of an inference on a board, None where not known."""
    timing = board_timing(device, runtime)
    if timing is None:
        return None
    cycles = whole_cycles(total_millicycles(graph, timing))
    return None if cycles is None else timing.milliseconds(cycles)


def whole_cycles(millicycles: int | None) -> int | None:
    """Return whole cycles, None for None."""
    return None if millicycles is None else round(millicycles / 1_000)


def unknown_kernels(graph: Graph, timing: Timing) -> tuple[str, ...]:
    """Return the kernels of a graph that a board's table lacks, sorted."""
    kernels = {timing.table.loops(graph, operator).kernel for operator in graph.operators}
    return tuple(sorted(kernels - timing.table.kernels.keys()))


def _millicycles(instructions: float, cycles_per_instruction: float) -> int:
    return round(instructions * cycles_per_instruction * 1_000)
