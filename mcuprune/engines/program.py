"""Programs for a microcontroller, read from ELF files: what lies where, and under which name."""

from __future__ import annotations

import bisect
import dataclasses
import io
from collections.abc import Iterator
from typing import Any

from mcuprune.errors import EngineError, MissingToolError

THUMB_BIT = 1


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A function or variable of a program.

    Attributes:
        address: First address, without the Thumb bit.
        size_bytes: Its size, 0 where the compiler did not tell.
        name: Its name.
    """

    address: int
    size_bytes: int
    name: str


@dataclasses.dataclass(frozen=True)
class Segment:
    """Bytes that a programmer writes into a memory.

    Attributes:
        address: Where they are loaded (the physical address).
        contents: The bytes.
    """

    address: int
    contents: bytes


@dataclasses.dataclass(frozen=True)
class Program:
    """A linked program.

    Attributes:
        elf: The ELF file.
        segments: What is loaded, in order of addresses.
        symbols: Functions and variables, in order of addresses.
    """

    elf: bytes
    segments: tuple[Segment, ...]
    symbols: tuple[Symbol, ...]

    def address(self, name: str) -> int:
        """Return the address of a function or variable.

        Raises:
            EngineError: The program has no such symbol.
        """
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol.address
        raise EngineError(f"the program has no symbol {name!r}: build it with the harness")

    def symbol_at(self, address: int) -> Symbol | None:
        """Return the function or variable that an address lies in, None if in none."""
        place = bisect.bisect_right(self.symbols, address, key=lambda symbol: symbol.address)
        for symbol in reversed(self.symbols[:place]):
            if address < symbol.address + max(symbol.size_bytes, 1):
                return symbol
            if symbol.size_bytes:
                return None
        return None

    def place(self, address: int) -> str:
        """Say which function an address lies in, and how far behind its start."""
        symbol = self.symbol_at(address)
        return "no function" if symbol is None else f"{symbol.name}+{address - symbol.address:#x}"

    @property
    def loaded_bytes(self) -> int:
        """Bytes of code, constants and initial values: the flash that the program takes."""
        return sum(len(segment.contents) for segment in self.segments)


def read_program(elf: bytes) -> Program:
    """Read a linked program.

    Args:
        elf: Contents of an ELF file for 32-bit Arm.

    Raises:
        EngineError: No readable ELF file.
        MissingToolError: pyelftools is not installed.
    """
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
    except ImportError as error:
        raise MissingToolError(
            f"programs are read with pyelftools ({error}): pip install 'mcuprune[boards]'"
        ) from None
    try:
        file = ELFFile(io.BytesIO(elf))
        segments = tuple(sorted(_segments(file), key=lambda segment: segment.address))
        symbols = tuple(sorted(_symbols(file), key=lambda one: (one.address, one.size_bytes)))
    except ELFError as error:
        raise EngineError(f"no readable ELF file ({error}): give a linked program") from error
    return Program(elf, segments, symbols)


def _segments(file: Any) -> Iterator[Segment]:
    for segment in file.iter_segments("PT_LOAD"):
        if segment["p_filesz"]:
            yield Segment(segment["p_paddr"], segment.data())


def _symbols(file: Any) -> Iterator[Symbol]:
    table = file.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if table else ():
        kind = symbol["st_info"]["type"]
        if symbol.name and not symbol.name.startswith("$") and symbol["st_shndx"] != "SHN_UNDEF":
            bare = symbol["st_value"] & ~THUMB_BIT if kind == "STT_FUNC" else symbol["st_value"]
            yield Symbol(bare, symbol["st_size"], symbol.name)
