"""An installed Renode, driven without a window: platforms of boards, with their peripherals.

The board's own platform file is used where Renode has one (``emulators`` in the board's file),
else one is written with the board's core and memories.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from mcuprune.boards import Board
from mcuprune.engines.base import Array
from mcuprune.engines.cross_compiler import CORES, WITHOUT_HELIUM
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Target, board_layout
from mcuprune.engines.records import RECORD_BYTES, read_answers
from mcuprune.engines.renode_files import (
    BEGINS,
    ENDED,
    ENDS,
    MAILBOX_ADDRESS,
    OUTPUT_COUNT,
    OUTPUTS,
    platform_description,
    reading_commands,
    robot_test,
    run_script,
)
from mcuprune.engines.simulation import Simulation
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

GENERATED = "board.repl"
# At Renode's 100 million instructions per simulated second; an idle core costs next to nothing.
_SECONDS_PER_INPUT, _SECONDS = 5, 5
_TIME_LIMIT_S = 1_800
_WORD = re.compile(r"^0x([0-9A-Fa-f]{8})$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Renode:
    """Runs firmware in Renode.

    Args:
        program: The ``renode`` command; None looks for it on the path.
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
            mailbox_address=MAILBOX_ADDRESS,
        )

    def run(self, firmware: Firmware, inputs: Array) -> Simulation:
        """See :class:`mcuprune.engines.simulation.Simulator`."""
        program = self._find()
        with tempfile.TemporaryDirectory(prefix="mcuprune-renode-") as name:
            folder = Path(name)
            write_project(folder, firmware, inputs)
            said = _start(program, folder, firmware, inputs)
        contents = _written(said)
        answers = read_answers(firmware, contents, len(inputs))
        return Simulation(
            outputs=answers.outputs,
            instructions=_counts(said),
            stack_bytes=answers.stack_bytes,
            start_stack_bytes=answers.start_stack_bytes,
            arena_bytes=answers.arena_bytes,
            simulator=f"Renode {_version(program)}",
            machine=firmware.target.machine,
        )

    def _find(self) -> str:
        found = shutil.which(self.program or "renode")
        if found is None:
            raise MissingToolError(
                f"{self.program or 'renode'} is not installed: get Renode 1.15 or newer from "
                "https://renode.io and put it on the path, or give it with --renode; or simulate "
                "with --simulator cortexm"
            )
        return found


def write_project(
    folder: Path, firmware: Firmware, inputs: Array, answers: Array | None = None
) -> None:
    """Write what Renode needs to run a firmware: ELF, inputs, platform, script, perhaps a test.

    Args:
        folder: Where to write.
        firmware: Built for Renode.
        inputs: int8, shape ``(n, input_bytes)``.
        answers: What the firmware must answer, int8, shape ``(n, output_bytes)``; with them,
            ``model.robot`` is written too, which ``renode-test`` runs.

    Raises:
        InputError: The firmware was built for another simulator.
    """
    if firmware.target.mailbox_address is None:
        raise InputError("a project for Renode needs a firmware for it: give --simulator renode")
    folder, target = folder.resolve(), firmware.target
    folder.mkdir(parents=True, exist_ok=True)
    elf, samples = folder / "firmware.elf", folder / "inputs.bin"
    elf.write_bytes(firmware.program.elf)
    samples.write_bytes(inputs.tobytes())
    script = run_script(firmware, elf, samples, inputs.nbytes, _seconds(inputs))
    if target.platform == GENERATED:
        script = script.replace(f"@{GENERATED}", f"@{folder / GENERATED}")
        (folder / GENERATED).write_text(platform_description(target.core, target.layout))
    (folder / "run.resc").write_text(script)
    if answers is not None:
        first = OUTPUTS + 2 * RECORD_BYTES
        whole = answers[0][: len(answers[0]) // 4 * 4]
        (folder / "model.robot").write_text(robot_test(folder / "run.resc", first, whole))


def _seconds(inputs: Array) -> int:
    return _SECONDS + _SECONDS_PER_INPUT * len(inputs)


def _start(program: str, folder: Path, firmware: Firmware, inputs: Array) -> str:
    written = RECORD_BYTES + len(inputs) * (RECORD_BYTES + firmware.output_bytes)
    commands = reading_commands(ENDED, 4) + reading_commands(OUTPUT_COUNT, 4)
    commands += [*reading_commands(OUTPUTS, written), "quit"]
    script = folder / "read.resc"
    script.write_text("\n".join([f"include @{folder / 'run.resc'}", *commands, ""]))
    command = [program, "--disable-xwt", "--console", "--plain", "-e", f"include @{script}"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FirmwareError(
            f"Renode did not end within {_TIME_LIMIT_S} s: give fewer inputs"
        ) from error
    return done.stdout


def _written(said: str) -> bytes:
    """Return the bytes that the firmware wrote, by the words that the monitor printed."""
    words = [int(word, 16) for word in _WORD.findall(said.replace("\r", ""))]
    if len(words) < 2:
        last = " ".join(said.split()[-30:])
        raise EngineError(f"Renode printed no memory; its last words were: {last or 'none'}")
    has_ended, count, *contents = words
    if not has_ended:
        raise FirmwareError(
            "the firmware did not end in Renode: simulate with cortexm, which names what it does"
        )
    return b"".join(word.to_bytes(4, "little") for word in contents)[:count]


def _counts(said: str) -> tuple[int, ...]:
    begins, ends = (
        [int(count) for count in re.findall(rf"{words} (\d+)", said)] for words in (BEGINS, ENDS)
    )
    return tuple(end - begin for begin, end in zip(begins, ends, strict=False))


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+\.\d+\.\d+)", said.stdout)
    return found[1] if found else "of unknown version"
