"""What Renode prints while it runs a firmware: counts, faults, complaints, and the UART's lines."""

from __future__ import annotations

import dataclasses
import re

from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.records import stack_overflow
from mcuprune.engines.renode_files import BEGINS, ENDS, LAST_LINE
from mcuprune.errors import EngineError, FirmwareError

_VERSION = re.compile(r"Renode, version (\d+\.\d+\.\d+)")
_COMPLAINT = re.compile(r"There was an error executing command '(.*)'\s+(.*)")
_OUTSIDE = re.compile(
    r"\[cpu: 0x(?P<code>[0-9A-Fa-f]+)\].*?(?P<access>Read|Write)(?P<width>\w+) "
    r"(?:from|to) non existing peripheral at 0x(?P<address>[0-9A-Fa-f]+)"
)
_STOPPED = re.compile(r"\[ERROR\] cpu: (.*)")
_VERBS = {"Read": "reads", "Write": "writes"}
_WIDTHS = {"Byte": 1, "Word": 2, "DoubleWord": 4, "QuadWord": 8}
_LAST_WORDS = 30


@dataclasses.dataclass(frozen=True)
class Printed:
    """What Renode said.

    Attributes:
        text: All of it.
    """

    text: str

    @property
    def version(self) -> str:
        """Version of Renode, such as ``"1.15.3"``."""
        found = _VERSION.search(self.text)
        return found[1] if found else "of unknown version"

    @property
    def instructions(self) -> tuple[int, ...]:
        """Instructions of each inference."""
        begins, ends = (
            [int(count) for count in re.findall(rf"{words} (\d+)", self.text)]
            for words in (BEGINS, ENDS)
        )
        return tuple(end - begin for begin, end in zip(begins, ends, strict=False))

    @property
    def last_words(self) -> str:
        """How it ends, for messages."""
        return " ".join(self.text.split()[-_LAST_WORDS:]) or "none"

    def require_no_complaint(self) -> None:
        """Check that Renode took all commands.

        Raises:
            EngineError: It refused one.
        """
        complaint = _COMPLAINT.search(self.text)
        if complaint:
            raise EngineError(
                f"Renode {self.version} refused `{complaint[1]}`: {complaint[2].strip()}: use "
                "Renode 1.15 or newer, or simulate with --simulator cortexm"
            )


def sent_bytes(sent: str, printed: Printed) -> bytes:
    """Return the bytes that a firmware wrote, from what its UART sent.

    Args:
        sent: Lines of hexadecimal digits, then :data:`LAST_LINE`.
        printed: What Renode itself said.

    Raises:
        EngineError: Nothing was sent, or no such lines.
        FirmwareError: The firmware did not end.
    """
    lines = sent.splitlines()
    if not lines:
        raise EngineError(f"the UART sent nothing; Renode's last words were: {printed.last_words}")
    if lines[-1] != LAST_LINE:
        raise FirmwareError(
            "the firmware did not end in Renode: simulate with cortexm, which names what it does"
        )
    try:
        return bytes.fromhex("".join(lines[:-1]))
    except ValueError:
        raise EngineError(
            "the UART sent something else than the harness's lines: build the firmware with it"
        ) from None


def fault_in(line: str, firmware: Firmware) -> str | None:
    """Return what to say of a line that tells of a fault, None if it tells of none.

    Renode answers zeros where there is no memory and goes on.

    Args:
        line: Of Renode's log.
        firmware: What runs.
    """
    stopped = _STOPPED.search(line)
    if stopped:
        return f"the core stopped in Renode: {stopped[1].strip()}"
    found = _OUTSIDE.search(line)
    if found is None:
        return None
    code, address = int(found["code"], 16), int(found["address"], 16)
    if code == address:
        return f"the firmware jumps where no code is: {firmware.layout.place(address)}"
    size = _WIDTHS.get(found["width"], "some")
    what = (
        f"the code at {code:#010x} ({firmware.program.place(code)}) {_VERBS[found['access']]} "
        f"{size} bytes {firmware.layout.place(address)}"
    )
    if firmware.layout.is_below_stack(address):
        what = f"{stack_overflow(firmware)}; {what}"
    return what
