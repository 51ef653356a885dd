"""Which coupling groups the channels of a tensor belong to, position by position."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mcuprune.ir.graph import Dim

IntArray = npt.NDArray[np.intp]


@dataclasses.dataclass(frozen=True)
class Segment:
    """A run of channels of one coupling group.

    Attributes:
        group: Name of the group, or None for channels that nothing can prune (model inputs).
        width: Number of the group's channels, all of which the segment holds.
        repeat: How often each channel stands in a row (a depthwise layer's multiplier).
    """

    group: str | None
    width: int
    repeat: int = 1

    @property
    def size(self) -> int:
        """Number of positions."""
        return self.width * self.repeat


@dataclasses.dataclass(frozen=True)
class Layout:
    """The last axis of a tensor: segments side by side, the whole repeated ``tiles`` times.

    Concatenation puts segments side by side; Flatten repeats them once per pixel.

    >>> flat = Layout((Segment("a", 3),), tiles=2)
    >>> flat.positions({"a": np.array([0, 2])}).tolist()
    [0, 2, 3, 5]
    """

    segments: tuple[Segment, ...]
    tiles: int = 1

    @staticmethod
    def fixed(width: int) -> Layout:
        """Return a layout that no group owns."""
        return Layout((Segment(None, width),))

    @property
    def size(self) -> int:
        """Number of positions on the axis."""
        return self.tiles * sum(segment.size for segment in self.segments)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups in the layout, in order of position."""
        return tuple(s.group for s in self.segments if s.group is not None)

    def repeated(self, times: int) -> Layout:
        """Return the layout with each channel standing ``times`` in a row."""
        return dataclasses.replace(
            self,
            segments=tuple(dataclasses.replace(s, repeat=s.repeat * times) for s in self.segments),
        )

    def renamed(self, names: Mapping[str, str]) -> Layout:
        """Return the layout with each group under its new name."""
        return dataclasses.replace(
            self,
            segments=tuple(
                dataclasses.replace(s, group=names[s.group]) if s.group is not None else s
                for s in self.segments
            ),
        )

    def dim(self) -> Dim:
        """Return the axis' length as a function of the groups' widths."""
        total = Dim()
        for segment in self.segments:
            if segment.group is None:
                total = total + segment.size
            else:
                total = total + Dim.width(segment.group) * segment.repeat
        return total * self.tiles

    def positions(self, keep: Mapping[str, IntArray]) -> IntArray:
        """Return the positions that stay, ascending.

        Args:
            keep: For each group the indices of the channels that stay; a group that is absent
                keeps all.
        """
        start, kept = 0, []
        for segment in self.segments:
            channels = np.arange(segment.width)
            if segment.group is not None:
                channels = keep.get(segment.group, channels)
            runs = channels[:, None] * segment.repeat + np.arange(segment.repeat)
            kept.append(start + runs.ravel())
            start += segment.size
        one = np.concatenate(kept)
        return np.concatenate([one + start * tile for tile in range(self.tiles)])

    def gate_index(self, first: Mapping[str, int], always_open: int) -> IntArray:
        """Return for each position the index of its channel in a flat list of all gates.

        Args:
            first: Index of each group's first channel in the list.
            always_open: Index that stands for channels without a gate.
        """
        index = []
        for segment in self.segments:
            channels = np.full(segment.width, always_open)
            if segment.group is not None and segment.group in first:
                channels = first[segment.group] + np.arange(segment.width)
            index.append(np.repeat(channels, segment.repeat))
        return np.tile(np.concatenate(index), self.tiles)
