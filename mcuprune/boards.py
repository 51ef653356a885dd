"""Boards: core, clock and memories, each with the document it was read from."""

from __future__ import annotations

import dataclasses
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.errors import InputError

BOARDS_FOLDER = "cost_models/boards"
KERNELS_FOLDER, CHANNEL_MULTIPLES = "cost_models/kernels", "channel_multiples"


@dataclasses.dataclass(frozen=True)
class Memory:
    """A stretch of RAM without gaps in its addresses, in which an arena can lie.

    Attributes:
        name: The chip maker's name.
        size_bytes: Its size.
    """

    name: str
    size_bytes: int


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
        name: Name in the catalogue (``"nucleo-l4r5zi"``).
        title: Name on the box, and the chip.
        core: Processor core (``"cortex-m4"``); of several, the one that runs the model.
        clock_mhz: Highest clock of that core, in MHz.
        sram_bytes: On-chip RAM in all, in bytes; ``note`` says what is left out. Instructions or
            the system can take a part of it, so that ``memories`` can add up to less.
        flash_bytes: Flash that holds program and model, in bytes.
        memories: The stretches of RAM an arena can lie in; budgets are taken from the largest.
        source: What the numbers were read from.
        channel_multiple: How many int8 channels the core's kernels take at once, 1 without vector
            instructions; from ``cost_models/kernels/channel_multiples.yaml``, which names its
            sources. Pruning for the board rounds widths to it.
        simulator: Name of a simulator that knows this board, if any.
        note: What a user should know before relying on the numbers.
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
    simulator: str | None = None
    note: str | None = None

    @property
    def arena_bytes(self) -> int:
        """Largest arena that fits: it is one array, so it lies in one memory."""
        return max(memory.size_bytes for memory in self.memories)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types, with ``arena_bytes``."""
        return {**dataclasses.asdict(self), "arena_bytes": self.arena_bytes}


def board_names() -> list[str]:
    """Return the names of all boards, sorted."""
    return catalogue.names(BOARDS_FOLDER)


def board(name: str) -> Board:
    """Return a board of the catalogue.

    Raises:
        UnknownNameError: No such board; names the nearest.

    >>> board("nucleo-l4r5zi").arena_bytes
    655360
    """
    fields = _read(BOARDS_FOLDER, name, "board")
    return Board(
        name=name,
        memories=tuple(Memory(**memory) for memory in fields.pop("memories")),
        source=Source(**fields.pop("source")),
        channel_multiple=_channel_multiple(name, fields["core"]),
        **fields,
    )


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
