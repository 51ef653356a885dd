"""The operations in which ints and tensors differ, so that every formula is written once."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from mcuprune.cost.soft import Soft


def is_whole(value: Any) -> bool:
    """Return whether a number is an int (NumPy ints included), so that ``if`` may look at it."""
    return isinstance(value, numbers.Integral)


def align_up(value: Any, multiple: int) -> Any:
    """Round up to a multiple.

    Args:
        value: An int (NumPy ints included), a :class:`~mcuprune.cost.soft.Soft` number or a scalar
            tensor of any Keras backend.
        multiple: At least 1.

    Returns:
        For an int the exact int. Otherwise the same number, with the gradient of the identity
        (straight-through): rounding has gradient 0 almost everywhere, which tells a pruner nothing.

    >>> align_up(17, 16), align_up(32, 16), align_up(0, 16)
    (32, 32, 0)
    """
    if is_whole(value):
        return -(-int(value) // multiple) * multiple
    if isinstance(value, Soft):
        return value.rounded_up(multiple)
    from keras import ops

    rounded = ops.ceil(value / multiple) * multiple
    return value + ops.stop_gradient(rounded - value)


def largest(values: Sequence[Any]) -> Any:
    """Return the largest of ints, of tensors, or of a mix; 0 if there are none.

    The gradient goes to the largest (shared among equals).
    """
    if all(isinstance(value, numbers.Real) for value in values):
        return max(values, default=0)
    from keras import ops

    return ops.max(ops.stack([ops.cast(value, "float32") for value in values]))


class Cursor:
    """A byte position that advances by ints and tensors, and keeps the two apart.

    The sum of everything that depends on a tensor is a multiple of a known power of two, so
    aligning after an int needs no tensor operation. With ints alone it is plain counting.

    Attributes:
        total: The position (int or scalar tensor).
    """

    def __init__(self, base: Any = 0, base_multiple: int = 0, offset: int = 0) -> None:
        self._base = base
        self._base_multiple = base_multiple  # 0: the base is 0 and so a multiple of anything
        self._offset = offset

    @property
    def total(self) -> Any:
        """The position."""
        return self._base + self._offset

    def advance(self, size: Any, alignment: int) -> Cursor:
        """Return the position ``size`` further on, rounded up to a multiple of ``alignment``.

        >>> Cursor().advance(10, 8).advance(3, 4).total
        20
        """
        keeps_alignment = self._base_multiple % alignment == 0
        if is_whole(size) and keeps_alignment:
            offset = align_up(self._offset + int(size), alignment)
            return Cursor(self._base, self._base_multiple, offset)
        return Cursor(align_up(self.total + size, alignment), alignment)

    def residue(self, modulus: int) -> int:
        """Return the position modulo a power of two that divides everything soft before it."""
        assert self._base_multiple % modulus == 0
        return self._offset % modulus
