"""Where a firmware lies in a board's memories, and whether it fits there."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import Board
from mcuprune.engines.firmware_exchange import Exchange
from mcuprune.errors import FirmwareError, InputError
from mcuprune.memory_kinds import FLASH

# The largest stack that the reference models need is 3 KiB, with TensorFlow Lite Micro.
STACK_BYTES = 8192


@dataclasses.dataclass(frozen=True)
class Region:
    """A memory at its addresses, ``[address, end)``.

    Attributes:
        name: The chip maker's name, or ``"flash"``.
        address: First address.
        size_bytes: Its size.
        is_flash: Whether it is read-only for a program.
    """

    name: str
    address: int
    size_bytes: int
    is_flash: bool = False

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.address + self.size_bytes

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.address <= address < self.end

    def distance(self, address: int) -> int:
        """Bytes from an address outside to the nearest one inside."""
        return self.address - address if address < self.address else address - self.end + 1


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the parts of a firmware lie.

    Attributes:
        flash: Holds code, constants and initial values.
        ram: Holds stack, variables and arena, in this order from the bottom.
        regions: All memories of the device that a program can reach without drivers.
        stack_bytes: Reserved for the stack.
    """

    flash: Region
    ram: Region
    regions: tuple[Region, ...]
    stack_bytes: int = STACK_BYTES

    def place(self, address: int) -> str:
        """Say where an address that cannot be reached lies, by the memory that is nearest."""
        for region in self.regions:
            if region.holds(address):
                return f"at {address:#010x}, in {region.name}, which cannot be written"
        nearest = min(self.regions, key=lambda region: region.distance(address))
        side = "below the start" if address < nearest.address else "behind the end"
        distance = nearest.distance(address)
        return f"at {address:#010x}, {distance:,} bytes {side} of {nearest.name}"

    def is_below_stack(self, address: int) -> bool:
        """Whether an address lies where a stack that overflows grows into."""
        return self.ram.address - self.stack_bytes <= address < self.ram.address

    def require_fitting(self, flash_bytes: int, sram_bytes: int) -> None:
        """Check that a firmware's parts fit their memories.

        Raises:
            FirmwareError: One does not; says by how much.
        """
        for what, region, required in (
            ("code, weights and constants", self.flash, flash_bytes),
            ("stack, variables and arena", self.ram, sram_bytes),
        ):
            if required > region.size_bytes:
                raise FirmwareError(
                    f"{what} take {required:,} bytes, {required - region.size_bytes:,} more than "
                    f"{region.name} has ({region.size_bytes:,}): prune the model for this board, "
                    "or choose a larger one"
                )


@dataclasses.dataclass(frozen=True)
class Target:
    """What a simulator wants a firmware built for.

    Attributes:
        core: The core that it simulates; where that is not the board's own, one that runs the
            same code.
        layout: Where the firmware lies: the board's addresses, or those of a machine in its place
            with no more memory than the board has.
        machine: What is simulated, in words.
        platform: What the simulator itself calls it: a machine of QEMU, a platform file of
            Renode; empty for one that takes the layout as it is.
        exchange: How inputs and answers are exchanged; None for files by semihosting.
    """

    core: str
    layout: Layout
    machine: str
    platform: str = ""
    exchange: Exchange | None = None


def board_layout(device: Board, stack_bytes: int = STACK_BYTES) -> Layout:
    """Return where a firmware lies on a board: flash, and the largest memory that holds arenas.

    Args:
        device: A board whose addresses are known.
        stack_bytes: What to reserve for the stack.

    Raises:
        InputError: The addresses of the board's memories are not known.

    >>> from mcuprune.boards import board
    >>> board_layout(board("stm32f4-discovery")).ram
    Region(name='SRAM1-SRAM2', address=536870912, size_bytes=131072, is_flash=False)
    """
    if FLASH not in device.addresses:
        raise InputError(
            f"the addresses of {device.name}'s memories are not known, or it runs no program from "
            "its flash: choose a board for which `mcuprune boards --json` lists addresses"
        )
    regions = tuple(
        Region(memory.name, device.addresses[memory.name], memory.size_bytes, memory.kind == FLASH)
        for memory in device.memories
        if memory.name in device.addresses
    )
    placed = {region.name: region for region in regions}
    arenas = [memory for memory in device.memories if memory.holds_arena]
    largest = max(arenas, key=lambda memory: (memory.name in placed, memory.size_bytes))
    return Layout(placed[FLASH], placed[largest.name], regions, stack_bytes)
