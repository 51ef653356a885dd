"""How long an inference takes by what a simulator counted."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import Board
from mcuprune.cost.firmware import runtime_of_board
from mcuprune.cost.latency import OTHER, board_timing
from mcuprune.engines.core_cycles import core_cycles
from mcuprune.engines.simulation import Simulation

_HELIUM = "-mve"


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


def simulated_time(
    device: Board, core: str, simulation: Simulation, *, has_vectors: bool = False
) -> SimulatedTime | None:
    """Return how long an inference takes, None where nothing is known of the core's speed.

    Cycles per instruction that were published for the board itself come first, because they hold
    its flash's wait states; then the cycles that the simulator counted by the core manual's table;
    then cycles per instruction of other boards with the core.

    Args:
        device: The board.
        core: The core that was simulated.
        simulation: What the simulator counted.
        has_vectors: Whether the firmware's kernels use Helium.
    """
    runtime = runtime_of_board(device.name)
    # Rates found with vector instructions do not hold for a firmware without them.
    holds = not runtime.endswith(_HELIUM) or has_vectors
    timing = board_timing(device, runtime) if holds else None
    has_own = timing is not None and timing.speed in device.speeds
    model = core_cycles(core)
    if not has_own and simulation.cycles is not None and model is not None:
        source = f"{model.source}; memories without wait states"
        return _at_clock(simulation.cycles, device.clock_mhz, source)
    if timing is None:
        return None
    rate = timing.speed.cycles_per_instruction[OTHER]
    cycles = round(simulation.instructions_per_inference * rate)
    source = f"{rate} cycles per instruction: {timing.speed.source}"
    return _at_clock(cycles, timing.clock_mhz, source)


def _at_clock(cycles: int, clock_mhz: float, source: str) -> SimulatedTime:
    return SimulatedTime(cycles, cycles / (clock_mhz * 1_000), source)
