"""Boards: core, clock, memories, speed and power, each with the document it was read from."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.errors import InputError
from mcuprune.memory_kinds import ARENA_KINDS, FLASH

BOARDS_FOLDER = "cost_models/boards"
KERNELS_FOLDER, CHANNEL_MULTIPLES = "cost_models/kernels", "channel_multiples"


@dataclasses.dataclass(frozen=True)
class Memory:
    """A stretch of memory without gaps in its addresses.

    Attributes:
        name: The chip maker's name.
        size_bytes: Its size.
        kind: ``"sram"``, ``"dtcm"``, ``"ccm"``, ``"itcm"``, ``"backup"``, ``"flash"`` on the
            chip, ``"psram"``, ``"sdram"``, ``"external flash"`` beside it.
    """

    name: str
    size_bytes: int
    kind: str = "sram"

    @property
    def holds_arena(self) -> bool:
        """Whether an arena can lie in it."""
        return self.kind in ARENA_KINDS


@dataclasses.dataclass(frozen=True)
class Reserve:
    """What firmware without any application takes of a board.

    Attributes:
        sram_bytes: RAM of the runtime system: stacks, heap, radio stack.
        origin: Whose firmware that is, and where the number comes from.
    """

    sram_bytes: int
    origin: str


@dataclasses.dataclass(frozen=True)
class Speed:
    """How fast a board runs the kernels of a runtime.

    Attributes:
        runtime: The runtime, a name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        table: Instructions of its kernels: a file of ``cost_models/kernels/latency``.
        cycles_per_instruction: By kind of kernel: ``conv_1x1``, ``conv``, ``depthwise``,
            ``fully_connected``, ``other``.
        origin: ``"measured"``, ``"published"`` or ``"inferred"``.
        source: What the cycles per instruction were found from.
        software: The software that was timed.
        clock_mhz: Clock that they hold for; None for the board's.
        error_percent: Worst error on networks left out of the fit, None if there were none.
    """

    runtime: str
    table: str
    cycles_per_instruction: Mapping[str, float]
    origin: str
    source: str
    software: str
    clock_mhz: float | None = None
    error_percent: float | None = None


@dataclasses.dataclass(frozen=True)
class Power:
    """What a board draws while it computes.

    Attributes:
        active_mw: Mean power during inference, in milliwatts.
        origin: ``"measured"``, ``"published"`` or ``"inferred"``.
        source: Where it was read, and what was metered.
        error_percent: Largest deviation of a network's power from it, None for a single number.
    """

    active_mw: float
    origin: str
    source: str
    error_percent: float | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a board's numbers come from.

    Attributes:
        document: What the numbers were read from: a datasheet, a devicetree, a document of the
            vendor's or of an operating system's.
        url: Where the first of them is published.
        read: Month in which the numbers were read, ``YYYY-MM``.
    """

    document: str
    url: str
    read: str


@dataclasses.dataclass(frozen=True)
class Board:
    """A device that models run on.

    Attributes:
        name: Name in the catalogue (``"nucleo-l4r5zi"``), or the path of a file of the user's own.
        title: Name on the box, and the chip.
        core: Processor core (``"cortex-m4"``); of several, the one that runs the model.
        clock_mhz: Highest clock of that core, in MHz.
        sram_bytes: On-chip RAM in all, in bytes; ``note`` says what is left out. Instructions or
            the system can take a part of it, so that ``memories`` can add up to less.
        flash_bytes: Flash that holds program and model, in bytes.
        memories: The memories, on the chip and beside it. Budgets are taken from the largest in
            which an arena can lie.
        source: What the numbers were read from.
        channel_multiple: How many int8 channels the core's kernels take at once, 1 without vector
            instructions; from ``cost_models/kernels/channel_multiples.yaml``, which names its
            sources. Pruning for the board rounds widths to it.
        addresses: First address of each memory that a program reaches without drivers, by the
            memory's name; empty where not known, or where no program runs from flash.
        emulators: What stands for the board in other programs: a machine of ``"qemu"``, a
            platform file of ``"renode"``.
        note: What a user should know before relying on the numbers.
        reserve: What firmware takes before any model, where that is known.
        speeds: How fast it runs kernels, the usual runtime first; empty where not known.
        power: What it draws, None where not known.
    """

    name: str
    title: str
    core: str
    clock_mhz: int
    sram_bytes: int
    flash_bytes: int
    memories: tuple[Memory, ...]
    source: Source
    channel_multiple: int
    addresses: Mapping[str, int] = dataclasses.field(default_factory=dict)
    emulators: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str | None = None
    reserve: Reserve | None = None
    speeds: tuple[Speed, ...] = ()
    power: Power | None = None

    @property
    def arena_bytes(self) -> int:
        """Largest arena that fits: it is one array, so it lies in one memory."""
        return max(memory.size_bytes for memory in self.memories if memory.holds_arena)

    @property
    def simulator(self) -> str | None:
        """The simulator that needs nothing but pip, where it can stand for the board."""
        return "cortexm" if self.addresses and self.core.startswith("cortex-m") else None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types, with ``arena_bytes`` and ``simulator``."""
        derived = {"arena_bytes": self.arena_bytes, "simulator": self.simulator}
        return {**dataclasses.asdict(self), **derived}


def board_names() -> list[str]:
    """Return the names of all boards, sorted."""
    return catalogue.names(BOARDS_FOLDER)


@functools.cache
def board(name: str) -> Board:
    """Return a board; its file is read once.

    Args:
        name: A board of the catalogue, or the path of a YAML file like those of the catalogue
            (ending in ``.yaml`` or ``.yml``).

    Raises:
        UnknownNameError: No such board; names the nearest.
        InputError: The file is not there, or says what no board's file may.

    >>> board("nucleo-l4r5zi").arena_bytes
    655360
    """
    fields = _fields(name)
    flash = Memory(FLASH, fields["flash_bytes"], FLASH)
    reserve, power = fields.pop("reserve", None), fields.pop("power", None)
    return Board(
        name=name,
        memories=(*(Memory(**memory) for memory in fields.pop("memories")), flash),
        source=Source(**fields.pop("source")),
        channel_multiple=_channel_multiple(name, fields["core"]),
        reserve=None if reserve is None else Reserve(**reserve),
        speeds=tuple(Speed(**speed) for speed in fields.pop("speeds", ())),
        power=None if power is None else Power(**power),
        **fields,
    )


def _fields(name: str) -> dict[str, Any]:
    if name.endswith((".yaml", ".yml")):
        from mcuprune.board_file import read_board_file

        return read_board_file(Path(name))
    return _read(BOARDS_FOLDER, name, "board")


def _channel_multiple(name: str, core: str) -> int:
    cores = _read(KERNELS_FOLDER, CHANNEL_MULTIPLES, "table")["cores"]
    if core not in cores:
        raise InputError(
            f"board {name!r} has the core {core!r}, of which {KERNELS_FOLDER}/{CHANNEL_MULTIPLES}"
            ".yaml says nothing: add how many channels its kernels take at once, 1 without vector "
            "instructions"
        )
    return int(cores[core]["channel_multiple"])


def _read(folder: str, name: str, what: str) -> dict[str, Any]:
    text = catalogue.find(folder, name, what).read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content
