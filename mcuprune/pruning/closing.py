"""The way to a cut: channels that will go are closed little by little, those that stay opened.

A cut meets its target exactly, at whole widths, and so never quite where the soft widths stand.
It is therefore decided some time before it is made; when it is due, all that goes is closed
already, and removing it changes nothing that the network computes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

# Share of the time between two cuts in which channels close.
CLOSING_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Closing:
    """A cut that is decided but not made.

    Attributes:
        kept: Indices of the channels that stay, per group, ascending.
        before: Gates when it was decided.
        start: Elapsed share of the pruning phase at that time.
        due: That at which the cut is made.
    """

    kept: Mapping[str, IntArray]
    before: Mapping[str, FloatArray]
    start: float
    due: float

    @property
    def widths(self) -> dict[str, int]:
        """Channels that stay, per group."""
        return {name: len(kept) for name, kept in self.kept.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        kept = {name: indices.tolist() for name, indices in self.kept.items()}
        before = {name: gates.tolist() for name, gates in self.before.items()}
        return {"kept": kept, "before": before, "start": self.start, "due": self.due}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Closing:
        """Take over what :meth:`to_json` returned."""
        kept = {name: np.array(indices, np.intp) for name, indices in fields["kept"].items()}
        before = {name: np.array(gates) for name, gates in fields["before"].items()}
        return cls(kept, before, fields["start"], fields["due"])

    def gates(self, fraction: float) -> dict[str, FloatArray]:
        """Return the gates at a share of the pruning phase: 0 or 1 when the cut is due.

        >>> closing = Closing({"a": np.array([1])}, {"a": np.array([1.0, 0.5])}, 0.2, 0.4)
        >>> closing.gates(0.3)["a"]
        array([0.5 , 0.75])
        >>> closing.gates(0.4)["a"]
        array([0., 1.])
        """
        progress = min(1.0, (fraction - self.start) / max(self.due - self.start, 1e-9))
        return {name: self._gates(name, progress) for name in self.before}

    def _gates(self, name: str, progress: float) -> FloatArray:
        final = np.zeros(len(self.before[name]))
        final[self.kept[name]] = 1.0
        return np.asarray(self.before[name] + (final - self.before[name]) * progress)


def closing_starts(due: float, cuts: int) -> float:
    """Return the share of the pruning phase at which channels begin to close.

    Args:
        due: That at which the cut is made.
        cuts: How many cuts there are, evenly spread.

    >>> closing_starts(1.0, 4)
    0.875
    """
    return due - CLOSING_SHARE / cuts
