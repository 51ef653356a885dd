"""When gates move and cuts come: shares of the pruning phase, counted in training steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mcuprune.pruning.arguments import whole_number, window

# Gates move this often in the whole pruning phase, whatever its length in steps.
MOVES = 200


class Phase:
    """The pruning phase, and how far a training has come in it.

    Args:
        start_step: Training steps before the first move.
        end_step: Step of the last cut.
        cuts: How many cuts there are, the last one included, at equal distances.

    Raises:
        InputError: Steps or cuts make no sense.
    """

    def __init__(self, start_step: int, end_step: int, cuts: int) -> None:
        self.start_step, self.end_step = window("step", start_step, end_step)
        self._cuts = whole_number("cuts", cuts, at_least=1)
        self._steps = self._moves_done = self._cuts_done = 0

    @property
    def cuts(self) -> int:
        """How many cuts there are in all."""
        return self._cuts

    @property
    def next_cut(self) -> float:
        """The share of the pruning phase at which the next cut is due."""
        return (self._cuts_done + 1) / self._cuts

    def advance(self, steps: int) -> None:
        """Take note of training steps that were made."""
        self._steps += steps

    def due_moves(self) -> Iterator[float]:
        """Yield the share of the pruning phase of each move that is due and not yet made."""
        while self._moves_done < min(math.floor(self._share() * MOVES), MOVES):
            self._moves_done += 1
            yield self._moves_done / MOVES

    def due_cut(self) -> float | None:
        """Return the share of the pruning phase of a cut that is due; it then counts as made.

        Of several that are due the last is the one to make.
        """
        due = min(math.floor(self._share() * self._cuts + 1e-9), self._cuts)
        if due <= self._cuts_done:
            return None
        self._cuts_done = due
        return due / self._cuts

    def state(self) -> dict[str, Any]:
        """Return the phase and how far it has come, as plain values."""
        return {
            "window": [self.start_step, self.end_step],
            "steps": self._steps,
            "moves": self._moves_done,
            "cuts": self._cuts_done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        self.start_step, self.end_step = state["window"]
        self._steps, self._moves_done = state["steps"], state["moves"]
        self._cuts_done = state["cuts"]

    def _share(self) -> float:
        return (self._steps - self.start_step) / (self.end_step - self.start_step)
