"""What a board's file may say: every key, its type and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mcuprune.mapping_file import build, read_mapping
from mcuprune.memory_kinds import ARENA_KINDS, FLASH, OFF_CHIP_KINDS, ON_CHIP_RAM_KINDS

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Address = Annotated[int, Field(ge=0, lt=2**32)]
Origin = Literal["measured", "published", "inferred"]

# They become arguments of programs and words of scripts that Renode runs.
EmulatorName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*([./][A-Za-z0-9_+-]+)*$")]

_EXPECTED = "title, core, clock_mhz, memories: copy one of cost_models/boards"


def _known_kind(kind: str) -> str:
    known = (*ON_CHIP_RAM_KINDS, *OFF_CHIP_KINDS)
    if kind not in known:
        raise ValueError(f"kinds of memory are {', '.join(known)}")
    return kind


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryPart(_Part):
    """A stretch of RAM, or of memory beside the chip."""

    name: str
    size_bytes: Positive
    kind: Annotated[str, AfterValidator(_known_kind)] = "sram"


class SourcePart(_Part):
    """What the numbers were read from."""

    document: str
    url: str
    read: str


class ReservePart(_Part):
    """What firmware without an application takes."""

    sram_bytes: Positive
    origin: str


class SpeedPart(_Part):
    """How fast kernels of a runtime run."""

    runtime: str
    table: str
    cycles_per_instruction: dict[str, Rate]
    origin: Origin
    source: str
    software: str
    clock_mhz: Rate | None = None
    error_percent: float | None = None


class PowerPart(_Part):
    """What the board draws."""

    active_mw: Rate
    origin: Origin
    source: str
    error_percent: float | None = None


class BoardFile(_Part):
    """A file of ``cost_models/boards``, or one of a user's own; see docs/boards.md."""

    title: str
    core: str
    clock_mhz: Positive
    sram_bytes: Positive
    flash_bytes: Positive
    memories: Annotated[list[MemoryPart], Field(min_length=1)]
    source: SourcePart
    addresses: dict[str, Address] = {}
    emulators: dict[Literal["qemu", "renode"], EmulatorName] = {}
    note: str | None = None
    reserve: ReservePart | None = None
    speeds: list[SpeedPart] = []
    power: PowerPart | None = None

    @model_validator(mode="after")
    def _consistent(self) -> BoardFile:
        if not any(memory.kind in ARENA_KINDS for memory in self.memories):
            raise ValueError(
                f"no memory can hold an arena: one must be of kind {', '.join(ARENA_KINDS)}"
            )
        for memory in self.memories:
            if memory.kind in ARENA_KINDS and memory.size_bytes > self.sram_bytes:
                raise ValueError(
                    f"the memory {memory.name} has {memory.size_bytes:,} bytes, the chip "
                    f"{self.sram_bytes:,} in all (sram_bytes): correct one of them; memory "
                    f"beside the chip is of kind {' or '.join(OFF_CHIP_KINDS)}"
                )
        known = {FLASH, *(memory.name for memory in self.memories)}
        if strange := sorted(set(self.addresses) - known):
            raise ValueError(
                f"addresses names {strange[0]!r}, which is no memory of the board: "
                f"{', '.join(sorted(known))}"
            )
        return self


def read_board_file(path: Path) -> dict[str, Any]:
    """Return the contents of a board's file.

    Args:
        path: The YAML file.

    Raises:
        InputError: It is not readable, or says what no board's file may; a line per finding, each
            with its key path.
    """
    values = read_mapping(path, "board file", _EXPECTED)
    return build(BoardFile, values, f"board file {path}").model_dump(exclude_unset=True)
