"""An installed Renode, driven without a window: platforms of boards, with their peripherals.

The board's own platform file is used where Renode has one (``emulators`` in the board's file),
else one is written with the board's core and memories. Answers leave by the platform's UART.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.cross_compiler import CORES, WITHOUT_HELIUM
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_exchange import Exchange, Uart
from mcuprune.engines.firmware_layout import Target, board_layout
from mcuprune.engines.installed import RENODE_VARIABLE, renode_command
from mcuprune.engines.records import read_answers
from mcuprune.engines.renode_files import (
    ADDED_UART,
    ELF,
    GENERATED,
    INPUT_COUNT,
    INPUT_FILE,
    LARGEST_INPUT_BYTES,
    LOADING,
    RECEIVED,
    SCRIPT,
    TEST,
    exchange_of,
    loading_script,
    platform_description,
    reading_script,
    robot_test,
    run_script,
)
from mcuprune.engines.renode_output import Printed, fault_in, sent_bytes
from mcuprune.engines.simulation import Simulation
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

# At Renode's 100 million instructions per simulated second or more; an idle core costs nothing.
_SECONDS_PER_INPUT, _SECONDS = 30, 30
_TIME_LIMIT_S = 1_800
_READING, _CONFIG = "read.resc", "renode.config"
# Else lines are printed later than what they tell of happens; nor is the user's own file touched.
_SETTINGS = "[general]\nuse-synchronous-logging = True\ncollapse-repeated-log-entries = True\n"


@dataclasses.dataclass(frozen=True)
class Renode:
    """Runs firmware in Renode.

    Args:
        program: The ``renode`` command; None takes what ``MCUPRUNE_RENODE`` in the environment
            names, else looks for it on the path.
    """

    program: str | None = None

    @property
    def name(self) -> str:
        """Name of the simulator."""
        return "renode"

    def target(self, device: Board, stack_bytes: int) -> Target:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        if device.core not in CORES:
            raise InputError(
                f"{device.name} has the core {device.core}, firmware is built for "
                f"{', '.join(CORES)}: choose a board with one of them"
            )
        own = device.emulators.get("renode")
        words = f"Renode's {own}" if own else f"a platform with {device.name}'s core and memories"
        return Target(
            WITHOUT_HELIUM.get(device.core, device.core),
            board_layout(device, stack_bytes),
            words,
            platform=own or GENERATED,
            exchange=Exchange(INPUT_COUNT, uart_of(own)),
        )

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        program = self._find()
        with tempfile.TemporaryDirectory(prefix="mcuprune-renode-") as name:
            folder = Path(name)
            write_project(folder, firmware, inputs)
            uart = exchange_of(firmware).uart
            (folder / _READING).write_text(reading_script(uart, _seconds(inputs)))
            (folder / _CONFIG).write_text(_SETTINGS)
            printed = _start(program, folder, firmware)
            printed.require_no_complaint()
            received = folder / RECEIVED
            sent = received.read_text(encoding="latin-1") if received.is_file() else ""
        answers = read_answers(firmware, sent_bytes(sent, printed), len(inputs))
        return Simulation(
            outputs=answers.outputs,
            instructions=printed.instructions,
            stack_bytes=answers.stack_bytes,
            start_stack_bytes=answers.start_stack_bytes,
            arena_bytes=answers.arena_bytes,
            simulator=f"Renode {printed.version}",
            machine=firmware.target.machine,
        )

    def _find(self) -> str:
        name = renode_command(self.program)
        found = shutil.which(name)
        if found is None:
            raise MissingToolError(
                f"{name} is not installed: get Renode 1.15 or newer from https://renode.io and "
                f"put it on the path, or give it with --renode or in {RENODE_VARIABLE}; or "
                "simulate with --simulator cortexm"
            )
        return found


def uart_of(platform: str | None) -> Uart:
    """Return the UART by which a firmware answers on a platform of Renode.

    Args:
        platform: A platform file of Renode; None for one that is written.

    >>> uart_of("platforms/cpus/nrf52840.repl").kind
    'nrf52_easydma'
    """
    entry = _uarts().get(platform or "")
    return ADDED_UART if entry is None else Uart(entry["uart"], entry["kind"], entry["address"])


@functools.cache
def _uarts() -> Mapping[str, Any]:
    path = catalogue.find("cost_models/simulators", "renode_uarts", "table")
    table: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["platforms"]
    return table


def write_project(
    folder: Path, firmware: Firmware, inputs: Array, answers: Array | None = None
) -> None:
    """Write what Renode needs to run a firmware: ELF, inputs, platform, script, perhaps a test.

    Args:
        folder: Where to write; it can be moved afterwards.
        firmware: Built for Renode.
        inputs: int8, shape ``(n, input_bytes)``.
        answers: What the firmware must answer, int8, shape ``(n, output_bytes)``; with them,
            ``model.robot`` is written too, which ``renode-test`` runs.

    Raises:
        InputError: The firmware was built for another simulator, or there are more inputs than
            Renode's firmware can be handed at once.
    """
    target, uart = firmware.target, exchange_of(firmware).uart
    _require_room(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ELF).write_bytes(firmware.program.elf)
    (folder / INPUT_FILE).write_bytes(inputs.tobytes())
    if target.platform == GENERATED:
        (folder / GENERATED).write_text(platform_description(target.core, target.layout))
    (folder / LOADING).write_text(loading_script(firmware, inputs.nbytes))
    (folder / SCRIPT).write_text(run_script(uart, _seconds(inputs)))
    if answers is not None:
        expected = [answer.tobytes() for answer in answers]
        (folder / TEST).write_text(robot_test(uart, _SECONDS + _SECONDS_PER_INPUT, expected))


def _seconds(inputs: Array) -> int:
    return _SECONDS + _SECONDS_PER_INPUT * len(inputs)


def _require_room(inputs: Array) -> None:
    if inputs.nbytes > LARGEST_INPUT_BYTES:
        raise InputError(
            f"{len(inputs)} inputs make {inputs.nbytes:,} bytes, the firmware for Renode holds "
            f"{LARGEST_INPUT_BYTES:,}: give fewer with --inputs"
        )


def _start(program: str, folder: Path, firmware: Firmware) -> Printed:
    command = [program, "--disable-xwt", "--console", "--plain", "--config", _CONFIG]
    # `renode` may be a script: it and what it starts are one group, so that all of it is ended.
    process = subprocess.Popen(
        [*command, "-e", f"include @{_READING}"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    is_late = threading.Event()

    def end_late() -> None:
        is_late.set()
        _end(process)

    timer = threading.Timer(_TIME_LIMIT_S, end_late)
    timer.start()
    try:
        printed = _read(process, firmware)
    finally:
        timer.cancel()
        _end(process)
    if is_late.is_set():
        raise FirmwareError(f"Renode did not end within {_TIME_LIMIT_S} s: give fewer inputs")
    if process.returncode:
        raise EngineError(
            f"Renode ended with exit code {process.returncode}; its last words were: "
            f"{printed.last_words}"
        )
    return printed


def _read(process: subprocess.Popen[str], firmware: Firmware) -> Printed:
    """Return what Renode prints.

    Raises:
        FirmwareError: A line tells of a fault; Renode itself would go on.
    """
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        fault = fault_in(line, firmware)
        if fault is not None:
            raise FirmwareError(fault)
    process.wait()
    return Printed("".join(lines))


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
