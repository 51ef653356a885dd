"""How long an inference takes by what a simulator counted."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import Board
from mcuprune.cost.firmware import runtime_of_board
from mcuprune.cost.latency import OTHER, board_timing
from mcuprune.engines.core_cycles import core_cycles
from mcuprune.engines.simulation import Simulation


@dataclasses.dataclass(frozen=True)
class SimulatedTime:
    """Estimated time of an inference.

    Attributes:
        cycles: Cycles of the core.
        latency_ms: Milliseconds at the board's clock.
        source: What the cycles of an instruction come from.
    """

    cycles: int
    latency_ms: float
    source: str


def simulated_time(device: Board, core: str, simulation: Simulation) -> SimulatedTime | None:
    """Return how long an inference takes, None where nothing is known of the core's speed.

    Where the simulator followed the core manual's table of cycles, that counts; elsewhere the
    board's cycles per instruction, which were found with other software on it.

    Args:
        device: The board.
        core: The core that was simulated.
        simulation: What the simulator counted.
    """
    model = core_cycles(core)
    if simulation.cycles is not None and model is not None:
        source = f"{model.source}; memories without wait states"
        return _at_clock(device, simulation.cycles, source)
    timing = board_timing(device, runtime_of_board(device.name))
    if timing is None:
        return None
    rate = timing.speed.cycles_per_instruction[OTHER]
    cycles = round(simulation.instructions_per_inference * rate)
    source = f"{rate} cycles per instruction: {timing.speed.source}"
    return _at_clock(device, cycles, source)


def _at_clock(device: Board, cycles: int, source: str) -> SimulatedTime:
    return SimulatedTime(cycles, cycles / (device.clock_mhz * 1_000), source)
