"""Which channel stands where: the last axis of a tensor, or an axis of a weight, as numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

# In the place of a channel's number: a position that nothing can prune.
FIXED = -1


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """The channels along one axis, position by position.

    Attributes:
        channels: Number of the channel at each position, shape ``(length,)``; :data:`FIXED` where
            there is none to prune (a model's input). Concatenation puts layouts side by side,
            Flatten repeats the whole once per pixel, a depthwise multiplier repeats each channel.

    >>> flat = Layout(np.array([0, 1, 2])).tiled(2)
    >>> flat.positions(np.array([True, False, True])).tolist()
    [0, 2, 3, 5]
    """

    channels: IntArray

    @staticmethod
    def fixed(width: int) -> Layout:
        """Return a layout without channels."""
        return Layout(np.full(width, FIXED, dtype=np.intp))

    @staticmethod
    def joined(layouts: Iterable[Layout]) -> Layout:
        """Return layouts side by side."""
        return Layout(np.concatenate([layout.channels for layout in layouts]))

    @property
    def size(self) -> int:
        """Number of positions."""
        return len(self.channels)

    @property
    def numbers(self) -> IntArray:
        """The channels in it, each once, ascending."""
        numbers: IntArray = np.unique(self.channels[self.channels != FIXED])
        return numbers

    def repeated(self, times: int) -> Layout:
        """Return the layout with each position standing ``times`` in a row."""
        return Layout(np.repeat(self.channels, times))

    def tiled(self, times: int) -> Layout:
        """Return the whole layout ``times`` in a row."""
        return Layout(np.tile(self.channels, times))

    def part(self, start: int | None, stop: int | None, step: int | None = None) -> Layout:
        """Return the positions of a slice."""
        return Layout(self.channels[start:stop:step])

    def renumbered(self, numbers: IntArray) -> Layout:
        """Return the layout with each channel under its new number.

        Args:
            numbers: New number per old one.
        """
        return Layout(np.append(numbers, FIXED)[self.channels])

    def positions(self, alive: BoolArray) -> IntArray:
        """Return the positions that stay, ascending.

        Args:
            alive: For each channel of the model whether it stays.
        """
        return np.flatnonzero(np.append(alive, True)[self.channels])
