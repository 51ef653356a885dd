"""Time comes from the board's own rates, the core's manual, or other boards, in this order."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.boards import board
from mcuprune.engines.simulated_time import simulated_time
from mcuprune.engines.simulation import Simulation

COUNTED = Simulation(
    outputs=np.zeros((1, 1), np.int8),
    instructions=(1_000_000, 1_000_002),
    stack_bytes=64,
    start_stack_bytes=64,
    arena_bytes=0,
    simulator="",
    machine="",
    cycles=1_200_000,
)


@pytest.mark.parametrize(
    ("name", "cycles", "clock_mhz", "source"),
    [
        # 1.56 cycles per instruction were published for the board.
        ("nucleo-l4r5zi", 1_560_002, 120, "OctoML"),
        # Nothing was: what the simulator counted by the manual.
        ("nucleo-f446re", 1_200_000, 180, "Cortex-M4 Technical Reference Manual"),
        # No manual tells: 0.95 of another board with the core.
        ("stm32f746g-disco", 950_001, 216, "STM32H743"),
    ],
)
def test_where_the_time_comes_from(name, cycles, clock_mhz, source):
    device = board(name)
    found = simulated_time(device, device.core, COUNTED)
    assert found.cycles == cycles
    assert found.latency_ms == pytest.approx(cycles / clock_mhz / 1000)
    assert source in found.source


def test_rates_of_vector_instructions_do_not_hold_without_them():
    device = board("ek-ra8d1")
    assert simulated_time(device, "cortex-m55", COUNTED) is None
    assert simulated_time(device, "cortex-m55", COUNTED, has_vectors=True).cycles == 850_001
