"""What every simulator takes and gives back."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Target


@dataclasses.dataclass(frozen=True)
class FunctionShare:
    """Instructions of one function in one inference.

    Attributes:
        name: The function's name, ``"?"`` outside all of them.
        instructions: Executed within it, without those of functions that it calls.
    """

    name: str
    instructions: int


@dataclasses.dataclass(frozen=True)
class Simulation:
    """What a simulator saw. All of it is simulated, and holds for this program and machine.

    Attributes:
        outputs: Answers as bytes, int8, shape ``(n, output_bytes)``; all outputs of the model one
            after the other.
        instructions: Instructions executed by each counted inference.
        stack_bytes: Deepest stack of any inference, from its call on.
        start_stack_bytes: Deepest stack while the runtime started (allocation, in TFLM).
        arena_bytes: Largest part of the arena that any inference touched.
        simulator: Which one, and its version.
        machine: What it simulated, in words.
        cycles: Estimated cycles of the first inference, None where there is no model of the core.
        functions: Where the first inference's instructions went, most first; may be empty.
    """

    outputs: Array
    instructions: tuple[int, ...]
    stack_bytes: int
    start_stack_bytes: int
    arena_bytes: int
    simulator: str
    machine: str
    cycles: int | None = None
    functions: tuple[FunctionShare, ...] = ()

    @property
    def instructions_per_inference(self) -> int:
        """Mean over the counted inferences, rounded."""
        return round(sum(self.instructions) / len(self.instructions))


class Simulator(Protocol):
    """Runs a firmware on a simulated board."""

    @property
    def name(self) -> str:
        """Name of the simulator."""

    def target(self, device: Board, stack_bytes: int) -> Target:
        """Return what to build a firmware for, so that it runs here in a board's place.

        Raises:
            InputError: The simulator has nothing that could stand for the board.
        """

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """Run a firmware on each input.

        Args:
            firmware: Built for what :meth:`target` returned.
            inputs: int8, shape ``(n, input_bytes)``; all inputs of the model one after the other.

        Raises:
            MissingToolError: The simulator is not installed; says how to.
            FirmwareError: The firmware faulted: reached outside the memories, overflowed its
                stack, or did not end. Addresses are turned into names.
        """
