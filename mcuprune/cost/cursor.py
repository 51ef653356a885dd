"""Positions in memory that advance and are aligned, with sizes known or still open."""

from __future__ import annotations

from mcuprune.ir.dim import Dim, Extent, align_up


class Cursor:
    """A byte position that advances by ints and open sizes, and keeps the two apart.

    The sums of everything open are kept by the power of two that they are known to be multiples
    of, so that aligning looks only at those that it can move. With ints alone it is plain
    counting.
    """

    def __init__(self) -> None:
        self._offset = 0
        self._open: dict[int, list[Dim]] = {}

    @property
    def total(self) -> Extent:
        """The position."""
        return sum((dim for dims in self._open.values() for dim in dims), start=self._offset)

    def advance(self, size: Extent, alignment: int) -> None:
        """Move on by ``size`` and then up to a multiple of ``alignment``, a power of two.

        >>> cursor = Cursor()
        >>> cursor.advance(10, 8)
        >>> cursor.advance(3, 4)
        >>> cursor.total
        20
        """
        unaligned = [multiple for multiple in self._open if multiple % alignment]
        for multiple in unaligned:
            size = sum(self._open.pop(multiple), start=size)
        position = align_up(self._offset + size, alignment)
        if isinstance(position, Dim):
            self._open.setdefault(alignment, []).append(Dim(0, position.terms))
            position = position.constant
        self._offset = position

    def residue(self, modulus: int) -> int:
        """Return the position modulo a power of two that divides everything open before it."""
        assert all(multiple % modulus == 0 for multiple in self._open)
        return self._offset % modulus
