"""Bounds-checked reading of flatbuffers: no offset or length is trusted before it is verified.

Layout after https://flatbuffers.dev/internals: a table starts with a signed 32-bit distance back
to its vtable; the vtable holds its own size, the table's size and one 16-bit offset per field;
vectors and strings are a 32-bit count followed by the elements. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import Any

# A sound file stores nearly every element once. A malicious one can point many vectors at the
# same bytes and make a small file expand without end; reading stops at this multiple of its size.
MAX_EXPANSION = 4

_SCALARS = {
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "int64": struct.Struct("<q"),
    "uint64": struct.Struct("<Q"),
    "float32": struct.Struct("<f"),
}
_UINT16 = struct.Struct("<H")


class FlatbufferError(ValueError):
    """The bytes are no sound flatbuffer; the message names the byte offset and the defect."""


class Reader:
    """Reads numbers from bytes, each access checked.

    Args:
        data: The whole file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._allowance_bytes = MAX_EXPANSION * len(data)

    def scalar(self, kind: str, offset: int, what: str) -> Any:
        """Return the number of type ``kind`` (``"int32"`` ...) at ``offset``.

        Raises:
            FlatbufferError: It does not lie within the file.
        """
        code = _SCALARS[kind]
        self.check_range(offset, code.size, what)
        return code.unpack_from(self.data, offset)[0]

    def uint16(self, offset: int, what: str) -> int:
        """Return the unsigned 16-bit number at ``offset``."""
        self.check_range(offset, 2, what)
        return int(_UINT16.unpack_from(self.data, offset)[0])

    def check_range(self, offset: int, length: int, what: str) -> None:
        """Raise unless ``length`` bytes from ``offset`` lie within the file."""
        if offset < 0 or length < 0 or offset + length > len(self.data):
            raise FlatbufferError(
                f"{what} at byte {offset} needs {length} bytes, but the file has {len(self.data)}"
            )

    def spend(self, count_bytes: int, offset: int, what: str) -> None:
        """Count bytes read, and raise when a file is read out far beyond its size."""
        self._allowance_bytes -= count_bytes
        if self._allowance_bytes < 0:
            raise FlatbufferError(
                f"{what} at byte {offset}: the file refers to the same bytes over and over "
                f"(more than {MAX_EXPANSION} times its size)"
            )

    def indirect(self, offset: int, what: str) -> int:
        """Follow the unsigned 32-bit distance stored at ``offset``."""
        distance: int = self.scalar("uint32", offset, what)
        if distance == 0:
            raise FlatbufferError(f"{what} at byte {offset} points at itself")
        return offset + distance


class Table:
    """One table of a flatbuffer. Fields are named by their slot: 0 for the first in the schema.

    Args:
        reader: The file.
        position: Byte offset of the table.
        what: Name of the table for messages (``"tensor 3"``).

    Raises:
        FlatbufferError: The table or its vtable does not lie within the file.
    """

    def __init__(self, reader: Reader, position: int, what: str) -> None:
        self.what = what
        self._reader = reader
        self._position = position
        self._vtable = position - reader.scalar("int32", position, f"{what} (table)")
        self._vtable_bytes = reader.uint16(self._vtable, f"{what} (vtable)")
        if self._vtable_bytes < 4 or self._vtable_bytes % 2:
            raise FlatbufferError(
                f"{what} (vtable) at byte {self._vtable} has the size {self._vtable_bytes}"
            )
        reader.check_range(self._vtable, self._vtable_bytes, f"{what} (vtable)")
        self._table_bytes = reader.uint16(self._vtable + 2, f"{what} (vtable)")
        if self._table_bytes < 4:
            raise FlatbufferError(f"{what} at byte {position} has the size {self._table_bytes}")
        reader.check_range(position, self._table_bytes, what)
        reader.spend(self._table_bytes, position, what)

    @property
    def position(self) -> int:
        """Byte offset of the table in the file."""
        return self._position

    @property
    def slots(self) -> int:
        """Number of fields that the writer of the file knew."""
        return (self._vtable_bytes - 4) // 2

    def has(self, slot: int) -> bool:
        """Tell whether the field is stored (otherwise it has its default)."""
        return self._field(slot, 1) is not None

    def number(self, slot: int, kind: str, default: float = 0) -> Any:
        """Return a scalar field, or ``default`` where it is not stored."""
        place = self._field(slot, _SCALARS[kind].size)
        return default if place is None else self._reader.scalar(kind, place, self.what)

    def table(self, slot: int, what: str) -> Table | None:
        """Return a table field; None where it is not stored."""
        place = self._field(slot, 4)
        if place is None:
            return None
        return Table(self._reader, self._reader.indirect(place, what), what)

    def tables(self, slot: int, what: str) -> list[Table]:
        """Return the tables of a vector field, empty where it is not stored."""
        start, count = self._vector(slot, 4, f"{what} list")
        return [
            Table(
                self._reader,
                self._reader.indirect(start + 4 * index, f"{what} {index}"),
                f"{what} {index}",
            )
            for index in range(count)
        ]

    def numbers(self, slot: int, kind: str, what: str) -> tuple[Any, ...]:
        """Return the scalars of a vector field, empty where it is not stored."""
        code = _SCALARS[kind]
        start, count = self._vector(slot, code.size, f"{self.what} {what}")
        return struct.unpack_from(f"<{count}{code.format[-1]}", self._reader.data, start)

    def span(self, slot: int, what: str) -> tuple[int, int]:
        """Return (byte offset, length) of a byte vector without reading it; (0, 0) if absent."""
        return self._vector(slot, 1, f"{self.what} {what}", charged=False)

    def text(self, slot: int, what: str) -> str:
        """Return a string field, empty where it is not stored.

        Raises:
            FlatbufferError: It does not lie within the file or is not UTF-8.
        """
        start, length = self._vector(slot, 1, f"{self.what} {what}")
        raw = self._reader.data[start : start + length]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise FlatbufferError(f"{self.what} {what} at byte {start} is not UTF-8") from None

    def target(self, slot: int, what: str) -> int | None:
        """Return the byte offset of what a field refers to: a table, or a vector with its count."""
        place = self._field(slot, 4)
        return None if place is None else self._reader.indirect(place, what)

    def _field(self, slot: int, width: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_bytes:
            return None
        offset = self._reader.uint16(self._vtable + entry, f"{self.what} (vtable)")
        if offset == 0:
            return None
        if offset < 4 or offset + width > self._table_bytes:
            raise FlatbufferError(
                f"{self.what} at byte {self._position}: field {slot} at offset {offset} "
                f"lies outside the table's {self._table_bytes} bytes"
            )
        return self._position + offset

    def _vector(self, slot: int, width: int, what: str, charged: bool = True) -> tuple[int, int]:
        place = self._field(slot, 4)
        if place is None:
            return 0, 0
        start = self._reader.indirect(place, what)
        count: int = self._reader.scalar("uint32", start, what)
        self._reader.check_range(start + 4, count * width, what)
        if charged:
            self._reader.spend(count * width, start, what)
        return start + 4, count


def root_table(data: bytes, what: str) -> Table:
    """Return the root table of a flatbuffer.

    Args:
        data: The whole file.
        what: Name of the table for messages.

    Raises:
        FlatbufferError: The root does not lie within the file.
    """
    reader = Reader(data)
    return Table(reader, reader.indirect(0, what), what)
