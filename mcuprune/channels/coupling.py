"""Channels in the making: which ones live or die together, and which cannot be pruned.

Channels get numbers as layers make them. Tying merges their classes; a class is named by its
lowest number. All work is done on whole arrays, since big networks have tens of thousands.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mcuprune.channels.layout import FIXED, IntArray


class Coupling:
    """Channels, their makers and their classes."""

    def __init__(self) -> None:
        self._lowest = np.empty(0, dtype=np.intp)
        self._makers: list[tuple[str, int]] = []
        self._frozen: list[tuple[IntArray, str]] = []

    def add(self, maker: str, width: int) -> IntArray:
        """Return the numbers of ``width`` new channels made by a layer."""
        start = len(self._lowest)
        numbers = np.arange(start, start + width, dtype=np.intp)
        self._lowest = np.concatenate([self._lowest, numbers])
        self._makers.append((maker, width))
        return numbers

    def tie(self, a: IntArray, b: IntArray, reason: str) -> None:
        """Merge the classes of channels position by position.

        Args:
            a: Numbers of channels, or FIXED.
            b: Likewise, of the same length.
            reason: Why a channel that meets FIXED is frozen.
        """
        self.freeze(a[(b == FIXED) & (a != FIXED)], reason)
        self.freeze(b[(a == FIXED) & (b != FIXED)], reason)
        both = (a != FIXED) & (b != FIXED)
        a, b = a[both], b[both]
        while True:
            low = np.minimum(self._lowest[a], self._lowest[b])
            high = np.maximum(self._lowest[a], self._lowest[b])
            if (low == high).all():
                return
            merged = np.arange(len(self._lowest))
            np.minimum.at(merged, high, low)
            self._lowest = merged[self._lowest]

    def classes_after(self, ties: Iterable[tuple[IntArray, IntArray]], among: IntArray) -> int:
        """Return how many classes some channels would have, were these ties made."""
        trial = Coupling()
        trial._lowest = self._lowest
        for a, b in ties:
            trial.tie(a, b, "")
        return len(np.unique(trial._lowest[among[among != FIXED]]))

    def freeze(self, channels: IntArray, reason: str) -> None:
        """Forbid pruning of channels."""
        found = channels[channels != FIXED]
        if found.size:
            self._frozen.append((found, reason))

    def classes(self) -> IntArray:
        """Return the class of each channel: the lowest number in it."""
        return self._lowest.copy()

    def makers(self) -> list[str]:
        """Return the layer that made each channel."""
        return [maker for maker, width in self._makers for _ in range(width)]

    def reasons(self) -> dict[int, str]:
        """Return why classes are frozen, the first reason given for each."""
        found: dict[int, str] = {}
        for channels, reason in self._frozen:
            for one in np.unique(self._lowest[channels]):
                found.setdefault(int(one), reason)
        return found


def equal_occurrence(
    classes: IntArray, tensors: Iterable[IntArray], marks: dict[int, str]
) -> dict[int, list[int]]:
    """Divide classes into groups whose members stand equally often in every tensor.

    Args:
        classes: Class of each channel.
        tensors: Numbers of the channels in each tensor's last axis.
        marks: A text for some classes; classes of one group have the same.

    Returns:
        The classes of each group, ascending, by the group's lowest class, groups ascending too.
    """
    places, members, counts = [], [], []
    for index, channels in enumerate(tensors):
        found, times = np.unique(classes[channels[channels != FIXED]], return_counts=True)
        places.append(np.full(len(found), index))
        members.append(found)
        counts.append(times)
    if not any(len(found) for found in members):
        return {}
    rows = np.stack([np.concatenate(part) for part in (members, places, counts)], axis=1)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    names, starts = np.unique(rows[:, 0], return_index=True)
    first: dict[tuple[bytes, str | None], int] = {}
    groups: dict[int, list[int]] = {}
    for name, own in zip(names.tolist(), np.split(rows[:, 1:], starts[1:]), strict=True):
        leader = first.setdefault((own.tobytes(), marks.get(name)), name)
        groups.setdefault(leader, []).append(name)
    return groups
