"""A core and a board's memories in Unicorn; every access outside of them is a fault with a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcuprune.engines.block_count import BlockCount
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.program import THUMB_BIT
from mcuprune.engines.records import stack_overflow
from mcuprune.engines.semihosting import SemihostingFiles
from mcuprune.errors import FirmwareError, MissingToolError

# Unicorn's models by core.
MODELS = {
    "cortex-m0": "M0",
    "cortex-m0plus": "M0",
    "cortex-m3": "M3",
    "cortex-m4": "M4",
    "cortex-m7": "M7",
    "cortex-m33": "M33",
}
# Enough for 10^11 instructions; a firmware that does not end is stopped then.
_TIME_LIMIT_US = 600 * 1_000_000
_BREAKPOINT_EXCEPTION = 7


class UnicornMachine:
    """A core and its memories, loaded with a firmware.

    Args:
        firmware: The firmware.
        files: What it reads and writes.

    Raises:
        MissingToolError: Unicorn is not installed.
    """

    def __init__(self, firmware: Firmware, files: SemihostingFiles) -> None:
        self._unicorn, self._registers = _import_unicorn()
        self._firmware, self._files = firmware, files
        self._fault: str | None = None
        self._core = self._new_core()
        self._load()

    def run(self, inputs: int, counted: int) -> Iterator[BlockCount]:
        """Run until the firmware ends; yield the counts of the first inferences.

        Args:
            inputs: How many inputs the firmware is given.
            counted: In how many of the first inferences to count.

        Raises:
            FirmwareError: The firmware faulted or did not end; addresses are turned into names.
        """
        begins = self._firmware.program.address("inference_begins")
        ends = self._firmware.program.address("inference_ends")
        for number in range(inputs):
            if not self._run_to(begins):
                return
            if number >= counted:
                break
            count = BlockCount(self._read)
            hook = self._core.hook_add(self._unicorn.UC_HOOK_BLOCK, count.enter)
            self._core.ctl_flush_tb()
            arrived = self._run_to(ends)
            self._core.hook_del(hook)
            self._core.ctl_flush_tb()
            if not arrived:
                return
            yield count
        self._run_to(None)

    def _new_core(self) -> Any:
        unicorn = self._unicorn
        core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        model = f"UC_CPU_ARM_CORTEX_{MODELS[self._firmware.target.core]}"
        core.ctl_set_cpu_model(getattr(self._registers, model))
        for region in self._firmware.layout.regions:
            access = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
            access |= 0 if region.is_flash else unicorn.UC_PROT_WRITE
            core.mem_map(region.address, region.size_bytes, access)
        core.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        core.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid_access)
        return core

    def _load(self) -> None:
        for segment in self._firmware.program.segments:
            self._core.mem_write(segment.address, segment.contents)
        vectors = self._read(self._firmware.layout.flash.address, 8)
        self._write_register("SP", int.from_bytes(vectors[:4], "little"))
        self._write_register("PC", int.from_bytes(vectors[4:], "little"))

    def _run_to(self, address: int | None) -> bool:
        """Run to an address, or to the end for None; tell whether the firmware goes on."""
        counter = self._read_register("PC") | THUMB_BIT
        try:
            self._core.emu_start(counter, address or 0xFFFFFFFE, timeout=_TIME_LIMIT_US)
        except self._unicorn.UcError as error:
            self._fault = self._fault or f"the core stopped {self._here()}: {error}"
        if self._fault is not None:
            raise FirmwareError(self._fault)
        if not self._files.has_ended and self._read_register("PC") != address:
            raise FirmwareError(f"the firmware did not end: it was still {self._here()}")
        return not self._files.has_ended

    def _on_exception(self, _core: object, number: int, _user_data: object) -> None:
        if number != _BREAKPOINT_EXCEPTION:
            self._fault = f"the core took exception {number} {self._here()}"
            self._core.emu_stop()
            return
        operation, parameter = self._read_register("R0"), self._read_register("R1")
        answer = self._files.answer(operation, parameter, self._read, self._core.mem_write)
        self._write_register("R0", answer)
        self._write_register("PC", (self._read_register("PC") + 2) | THUMB_BIT)
        if self._files.has_ended:
            self._core.emu_stop()

    def _on_invalid_access(
        self, _core: object, access: int, address: int, size: int, _value: int, _user_data: object
    ) -> bool:
        unicorn = self._unicorn
        words = {
            unicorn.UC_MEM_READ_UNMAPPED: f"reads {size} bytes",
            unicorn.UC_MEM_WRITE_UNMAPPED: f"writes {size} bytes",
            unicorn.UC_MEM_WRITE_PROT: f"writes {size} bytes",
            unicorn.UC_MEM_FETCH_UNMAPPED: "jumps",
        }
        layout = self._firmware.layout
        what = f"the code {self._here()} {words.get(access, 'goes')} {layout.place(address)}"
        if layout.is_below_stack(address):
            what = f"{stack_overflow(self._firmware)}; {what}"
        self._fault = what
        return False

    def _here(self) -> str:
        counter = self._read_register("PC")
        return f"at {counter:#010x} ({self._firmware.program.place(counter)})"

    def _read(self, address: int, size: int) -> bytes:
        return bytes(self._core.mem_read(address, size))

    def _read_register(self, name: str) -> int:
        return int(self._core.reg_read(getattr(self._registers, f"UC_ARM_REG_{name}")))

    def _write_register(self, name: str, value: int) -> None:
        self._core.reg_write(getattr(self._registers, f"UC_ARM_REG_{name}"), value)


def _import_unicorn() -> tuple[Any, Any]:
    try:
        import unicorn
        import unicorn.arm_const
    except ImportError as error:
        raise MissingToolError(
            f"the simulator cortexm needs unicorn ({error}): pip install 'mcuprune[boards]'"
        ) from None
    return unicorn, unicorn.arm_const
