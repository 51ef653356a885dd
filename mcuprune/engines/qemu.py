"""QEMU's ``qemu-system-arm``: whole machines, among them some with the boards' chips.

Instructions are counted by a plugin of QEMU's code generator, compiled at run time with the host's
C compiler (or that of ``ziglang``).
"""

from __future__ import annotations

import dataclasses
import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.c_host import host_compiler
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Layout, Region, Target, board_layout
from mcuprune.engines.records import read_answers, stack_overflow
from mcuprune.engines.semihosting import INPUTS, OUTPUTS
from mcuprune.engines.simulation import Simulation
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

PROGRAM = "qemu-system-arm"
FOLDER, TABLE = "cost_models/simulators", "qemu_machines"
_PLUGIN = Path(__file__).parent / "qemu_plugin" / "count_instructions.c"
_TIME_LIMIT_S = 600


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine of QEMU.

    Attributes:
        name: Its name there, ``-M``.
        core: Its core.
        flash: First address and size of the memory that code lies in.
        ram: Those of the memory that data lie in.
    """

    name: str
    core: str
    flash: tuple[int, int]
    ram: tuple[int, int]

    def layout(self, board: Layout) -> Layout:
        """Return where a firmware lies here that may use no more memory than a board has."""
        flash_bytes = min(self.flash[1], board.flash.size_bytes)
        ram_bytes = min(self.ram[1], board.ram.size_bytes)
        flash = Region(board.flash.name, self.flash[0], flash_bytes, is_flash=True)
        ram = Region(board.ram.name, self.ram[0], ram_bytes)
        return Layout(flash, ram, (flash, ram), board.stack_bytes)


@dataclasses.dataclass(frozen=True)
class Qemu:
    """Runs firmware in QEMU.

    Args:
        machine: A machine of ``cost_models/simulators/qemu_machines.yaml``; None takes the one
            that stands for the board.
    """

    machine: str | None = None

    @property
    def name(self) -> str:
        """Name of the simulator."""
        return "qemu"

    def target(self, device: Board, stack_bytes: int) -> Target:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        name = self.machine or device.emulators.get("qemu") or _table()["cores"].get(device.core)
        if name is None:
            raise InputError(
                f"QEMU has no machine that could stand for {device.name} ({device.core}): choose a "
                f"board with one of the cores {', '.join(_table()['cores'])}"
            )
        machine = machines()[name]
        # A core without the board's further instructions must not meet them.
        runs_as = device.core if device.core == "cortex-m0plus" else machine.core
        layout = machine.layout(board_layout(device, stack_bytes))
        words = f"QEMU's {name} ({machine.core}) with no more memory than {device.name}"
        return Target(runs_as, layout, words, platform=name)

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        program = _find_qemu()
        version = _version(program)
        with tempfile.TemporaryDirectory(prefix="mcuprune-qemu-") as name:
            folder = Path(name)
            (folder / INPUTS).write_bytes(inputs.tobytes())
            (folder / "firmware.elf").write_bytes(firmware.program.elf)
            _compile_plugin(folder / "count.so", version)
            said = _start(folder, program, firmware)
            if "Lockup" in said:
                raise FirmwareError(f"a fault followed a fault; likely {stack_overflow(firmware)}")
            written = folder / OUTPUTS
            contents = written.read_bytes() if written.is_file() else b""
            if not contents:
                raise FirmwareError(f"QEMU ran the firmware, which wrote nothing: {said or '-'}")
            answers = read_answers(firmware, contents, len(inputs))
            counts = (folder / "counts.txt").read_text().split()
        return Simulation(
            outputs=answers.outputs,
            instructions=tuple(map(int, counts)),
            stack_bytes=answers.stack_bytes,
            start_stack_bytes=answers.start_stack_bytes,
            arena_bytes=answers.arena_bytes,
            simulator=f"QEMU {version}",
            machine=firmware.target.machine,
        )


@functools.cache
def machines() -> Mapping[str, Machine]:
    """Return the machines of QEMU that firmware is built for, by name."""
    return {
        name: Machine(name, entry["core"], tuple(entry["flash"]), tuple(entry["ram"]))
        for name, entry in _table()["machines"].items()
    }


@functools.cache
def _table() -> Mapping[str, Any]:
    path = catalogue.find(FOLDER, TABLE, "table")
    table: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return table


def _find_qemu() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        raise MissingToolError(
            f"{PROGRAM} is not installed: apt-get install qemu-system-arm, or simulate with "
            "--simulator cortexm"
        )
    return found


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+\.\d+\.\d+)", said.stdout)
    return found[1] if found else "of unknown version"


def _compile_plugin(target: Path, version: str) -> None:
    # Interface 2 since QEMU 9.0: what this plugin uses of it is unchanged.
    interface = 1 if int(version.split(".")[0] or 0) < 9 else 2
    command = [*host_compiler(), "-shared", "-fPIC", "-O2", f"-DPLUGIN_VERSION={interface}"]
    command += [str(_PLUGIN), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"{command[0]} could not compile the plugin for QEMU:\n{done.stderr}")


def _start(folder: Path, program: str, firmware: Firmware) -> str:
    begins = firmware.program.address("inference_begins")
    ends = firmware.program.address("inference_ends")
    command = [program, "-M", firmware.target.platform]
    command += ["-display", "none", "-monitor", "none", "-serial", "none"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", "firmware.elf"]
    command += ["-plugin", f"./count.so,begin={begins},end={ends},out=counts.txt"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIME_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FirmwareError(
            f"the firmware did not end within {_TIME_LIMIT_S} s in QEMU: give fewer inputs"
        ) from error
    return done.stderr.strip()
