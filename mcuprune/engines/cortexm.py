"""A simulated Cortex-M with a board's memories, by Unicorn: needs nothing but pip.

Flash and RAM lie at the board's addresses, with the board's sizes; whatever lies outside of them
faults. Instructions are counted by blocks of code: Unicorn tells each time it enters one, and how
many instructions a block holds is counted once. Peripherals are not simulated.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata

from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.core_cycles import core_cycles
from mcuprune.engines.cross_compiler import WITHOUT_HELIUM
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Target, board_layout
from mcuprune.engines.records import read_answers
from mcuprune.engines.semihosting import SemihostingFiles
from mcuprune.engines.simulation import Simulation
from mcuprune.engines.unicorn_machine import MODELS, UnicornMachine
from mcuprune.errors import InputError


@dataclasses.dataclass(frozen=True)
class CortexM:
    """Runs firmware on a simulated core with the board's memories.

    Args:
        counted_inputs: In how many of the first inferences to count instructions; the others run
            ten times as fast.
    """

    counted_inputs: int = 1

    @property
    def name(self) -> str:
        """Name of the simulator."""
        return "cortexm"

    def target(self, device: Board, stack_bytes: int) -> Target:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        core = WITHOUT_HELIUM.get(device.core, device.core)
        if core not in MODELS:
            raise InputError(
                f"{device.name} has the core {device.core}, cortexm simulates "
                f"{', '.join((*MODELS, *WITHOUT_HELIUM))}: choose a board with one of them"
            )
        place = "" if core == device.core else f", as a {core} (no Helium)"
        machine = f"{device.core}{place} with {device.name}'s memories, no wait states"
        return Target(core, board_layout(device, stack_bytes), machine)

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        files = SemihostingFiles(inputs.tobytes())
        machine = UnicornMachine(firmware, files)
        counts = list(machine.run(len(inputs), self.counted_inputs))
        answers = read_answers(firmware, bytes(files.outputs), len(inputs))
        model = core_cycles(firmware.target.core)
        return Simulation(
            outputs=answers.outputs,
            instructions=tuple(count.instructions for count in counts),
            stack_bytes=answers.stack_bytes,
            start_stack_bytes=answers.start_stack_bytes,
            arena_bytes=answers.arena_bytes,
            simulator=f"Unicorn {importlib.metadata.version('unicorn')}",
            machine=firmware.target.machine,
            cycles=counts[0].cycles(model) if counts and model else None,
            functions=counts[0].functions(firmware.program) if counts else (),
        )
