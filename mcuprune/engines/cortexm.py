"""A simulated Cortex-M with a board's memories, by Unicorn: needs nothing but pip.

Flash and RAM lie at the board's addresses, with the board's sizes; whatever lies outside of them
faults. Instructions are counted by blocks of code: Unicorn tells each time it enters one, and how
many instructions a block holds is counted once. Peripherals are not simulated.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.core_cycles import CoreCycles, core_cycles
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Layout, Region, Target, board_layout
from mcuprune.engines.program import THUMB_BIT
from mcuprune.engines.records import read_answers, stack_overflow
from mcuprune.engines.semihosting import SemihostingFiles
from mcuprune.engines.simulation import FunctionShare, Simulation
from mcuprune.engines.thumb import count_instructions
from mcuprune.errors import FirmwareError, InputError, MissingToolError

# Unicorn's models; M55 and M85 run on the M33's, which has all of their instructions but Helium.
_MODELS = {
    "cortex-m0": "M0",
    "cortex-m0plus": "M0",
    "cortex-m3": "M3",
    "cortex-m4": "M4",
    "cortex-m7": "M7",
    "cortex-m33": "M33",
    "cortex-m55": "M33",
    "cortex-m85": "M33",
}
_RUNS_AS = {"cortex-m55": "cortex-m33", "cortex-m85": "cortex-m33"}
# Enough for 10^11 instructions; a firmware that does not end is stopped then.
_TIME_LIMIT_US = 600 * 1_000_000
_BREAKPOINT_EXCEPTION = 7
# A block's address and size in one number; no block has the number of the jumps.
_SIZE_BITS, _JUMPS = 16, -1


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
        if device.core not in _MODELS:
            raise InputError(
                f"{device.name} has the core {device.core}, cortexm simulates "
                f"{', '.join(_MODELS)}: choose a board with one of them"
            )
        core = _RUNS_AS.get(device.core, device.core)
        place = "" if core == device.core else f", as a {core} (no Helium)"
        machine = f"{device.core}{place} with {device.name}'s memories, no wait states"
        return Target(core, board_layout(device, stack_bytes), machine)

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        files = SemihostingFiles(inputs.tobytes())
        machine = _Machine(firmware, files)
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
            functions=counts[0].functions(firmware) if counts else (),
        )


class _BlockCount:
    """Blocks of code entered during one inference."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._entered: dict[int, int] = defaultdict(int)
        self._read = read
        self.enter = self._counter()

    def _counter(self) -> Callable[[object, int, int, object], None]:
        entered, end_of_last = self._entered, 0

        # Called millions of times: a block is one number here, and nothing is looked up on self.
        def enter(_core: object, address: int, size: int, _user_data: object) -> None:
            nonlocal end_of_last
            entered[address << _SIZE_BITS | size] += 1
            if address != end_of_last:
                entered[_JUMPS] += 1
            end_of_last = address + size

        return enter

    @property
    def instructions(self) -> int:
        return sum(count_instructions(code) * times for _, code, times in self._blocks())

    def cycles(self, model: CoreCycles) -> int:
        straight = sum(model.block(code) * times for _, code, times in self._blocks())
        return straight + self._entered[_JUMPS] * model.pipeline_refill

    def functions(self, firmware: Firmware) -> tuple[FunctionShare, ...]:
        shares: Counter[str] = Counter()
        for address, code, times in self._blocks():
            symbol = firmware.program.symbol_at(address)
            shares[symbol.name if symbol else "?"] += count_instructions(code) * times
        return tuple(FunctionShare(name, count) for name, count in shares.most_common())

    def _blocks(self) -> Iterator[tuple[int, bytes, int]]:
        for block, times in self._entered.items():
            if block != _JUMPS:
                address, size = block >> _SIZE_BITS, block & (1 << _SIZE_BITS) - 1
                yield address, self._read(address, size), times


class _Machine:
    """A core and its memories, loaded with a firmware."""

    def __init__(self, firmware: Firmware, files: SemihostingFiles) -> None:
        self._unicorn, self._registers = _import_unicorn()
        self._firmware, self._files = firmware, files
        self._fault: str | None = None
        self._core = self._new_core()
        self._load()

    def run(self, inputs: int, counted: int) -> Iterator[_BlockCount]:
        """Run until the firmware ends; yield the counts of the first inferences."""
        begins = self._firmware.program.address("inference_begins")
        ends = self._firmware.program.address("inference_ends")
        for number in range(inputs):
            if not self._run_to(begins):
                return
            if number >= counted:
                break
            count = _BlockCount(self._read)
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
        model = f"UC_CPU_ARM_CORTEX_{_MODELS[self._firmware.target.core]}"
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
        what = f"the code {self._here()} {words.get(access, 'goes')} {_place(layout, address)}"
        if layout.ram.address - layout.stack_bytes <= address < layout.ram.address:
            what = f"{stack_overflow(self._firmware)}; {what}"
        self._fault = what
        return False

    def _here(self) -> str:
        counter = self._read_register("PC")
        symbol = self._firmware.program.symbol_at(counter)
        name = f"{symbol.name}+{counter - symbol.address:#x}" if symbol else "no function"
        return f"at {counter:#010x} ({name})"

    def _read(self, address: int, size: int) -> bytes:
        return bytes(self._core.mem_read(address, size))

    def _read_register(self, name: str) -> int:
        return int(self._core.reg_read(getattr(self._registers, f"UC_ARM_REG_{name}")))

    def _write_register(self, name: str, value: int) -> None:
        self._core.reg_write(getattr(self._registers, f"UC_ARM_REG_{name}"), value)


def _place(layout: Layout, address: int) -> str:
    """Say where an address lies, by the memory that is nearest."""
    for region in layout.regions:
        if region.holds(address):
            return f"at {address:#010x}, in {region.name}, which cannot be written"
    nearest = min(layout.regions, key=lambda region: _distance(region, address))
    side = "below the start" if address < nearest.address else "behind the end"
    distance = _distance(nearest, address)
    return f"at {address:#010x}, {distance:,} bytes {side} of {nearest.name}"


def _distance(region: Region, address: int) -> int:
    return region.address - address if address < region.address else address - region.end + 1


def _import_unicorn() -> tuple[Any, Any]:
    try:
        import unicorn
        import unicorn.arm_const
    except ImportError as error:
        raise MissingToolError(
            f"the simulator cortexm needs unicorn ({error}): pip install 'mcuprune[boards]'"
        ) from None
    return unicorn, unicorn.arm_const
