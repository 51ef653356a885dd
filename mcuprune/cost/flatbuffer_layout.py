"""How many bytes flatbuffers take, written back to front as the flatbuffers library does.

Source: https://flatbuffers.dev/internals. A vector is a 32-bit count before its elements; a string
has a zero after its bytes; a table starts with a 32-bit distance to its vtable, and equal vtables
are stored once. Everything is aligned to its own size, counted from the end of the file.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcuprune.cost.cursor import Cursor
from mcuprune.ir.dim import Extent

COUNT_BYTES = 4
OFFSET_BYTES = 4
_VTABLE_ENTRY_BYTES = 2


class FlatbufferLayout:
    """Counts the bytes of a flatbuffer under construction; sizes may be open."""

    def __init__(self) -> None:
        self._end = Cursor()
        self._vtables: set[tuple[int, ...]] = set()

    def vector(self, contents_bytes: Extent, alignment_bytes: int = COUNT_BYTES) -> None:
        """Add a vector.

        Args:
            contents_bytes: Bytes of its elements, known or open.
            alignment_bytes: Alignment of the elements, at least that of the count.
        """
        self._end.advance(contents_bytes, alignment_bytes)
        self._end.advance(COUNT_BYTES, 1)

    def string(self, text: str) -> None:
        """Add a string."""
        self._end.advance(len(text.encode()) + 1, COUNT_BYTES)
        self._end.advance(COUNT_BYTES, 1)

    def table(self, fields: Iterable[tuple[int, int]]) -> None:
        """Add a table.

        Args:
            fields: Slot and bytes (1, 2 or 4) of each field that is stored, in writing order.
        """
        start = self._end.residue(OFFSET_BYTES)
        end = start
        written: dict[int, int] = {}
        for slot, size_bytes in fields:
            end = -(-end // size_bytes) * size_bytes + size_bytes
            written[slot] = end
        end = -(-end // OFFSET_BYTES) * OFFSET_BYTES + OFFSET_BYTES
        self._end.advance(end - start, 1)
        slots = range(max(written, default=-1) + 1)
        self._vtable((end - start, *(end - written.get(slot, end) for slot in slots)))

    def finish(self, alignment_bytes: int) -> Extent:
        """Add the header (offset of the root table and file identifier) and return the size.

        Args:
            alignment_bytes: The widest alignment of anything in the file.
        """
        self._end.advance(2 * OFFSET_BYTES, alignment_bytes)
        return self._end.total

    def _vtable(self, entries: tuple[int, ...]) -> None:
        if entries in self._vtables:
            return
        self._vtables.add(entries)
        self._end.advance((1 + len(entries)) * _VTABLE_ENTRY_BYTES, 1)
