"""When a trial is stopped early: it cannot reach the front any more.

What a trial will cost is known for sure from ``pruning.end_epoch`` on, when its widths are final;
before that no trial is stopped. What accuracy it will reach is not known, so it is bounded from
above by what others have shown::

    bound = best validation accuracy so far
            + largest gain of any finished trial from there to its int8 test accuracy
            + margin

where the gain of a finished trial is its int8 test accuracy less its own best validation accuracy
after as many epochs. Among the finished trials is always the one that would dominate this one, as
small or smaller, so late gains of small networks are in the bound. A trial is stopped if a finished
trial of its board needs no more of any resource and its accuracy lies above the bound, and only
after :data:`LEAST_FINISHED` trials have finished. Trials that differ from it in the seed alone do
not stop it: a mean over seeds would be that of the lucky ones. A trial that needs less of some
resource than every finished one is never stopped, however inaccurate. What no finished trial has
shown, a gain larger than all of theirs and the margin, is the one thing that can be missed;
``sweep.stop: never`` misses nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

from mcuprune.sweep.front import Costs

LEAST_FINISHED = 3


@dataclasses.dataclass(frozen=True)
class Course:
    """A finished trial, as the rule sees it.

    Attributes:
        trial: Its number.
        board: Its board.
        configuration: What it shares with the trials that differ in the seed alone.
        costs: What its network costs.
        accuracy: Its int8 test accuracy, 0 to 1.
        curve: Its validation accuracy after each epoch under the budget.
    """

    trial: int
    board: str | None
    configuration: Hashable
    costs: Costs
    accuracy: float
    curve: Sequence[float]

    def gain_from(self, epochs: int) -> float | None:
        """Return what it gained after so many epochs, None if it had fewer.

        >>> Course(0, None, "", Costs(1, 1, 1), 0.75, [0.25, 0.5, 0.25]).gain_from(3)
        0.25
        """
        if len(self.curve) < epochs:
            return None
        return self.accuracy - max(self.curve[:epochs])


def highest_accuracy(
    curve: Sequence[float], finished: Sequence[Course], margin: float
) -> float | None:
    """Return the bound on what a running trial reaches; None where too little is known.

    Args:
        curve: Its validation accuracy after each epoch so far, not empty.
        finished: The trials that have finished, of any board.
        margin: What is added, 0 to 1.
    """
    gains = [gain for course in finished if (gain := course.gain_from(len(curve))) is not None]
    if len(gains) < LEAST_FINISHED:
        return None
    return max(curve) + max(gains) + margin


def dominating(
    board: str | None,
    configuration: Hashable,
    least: Costs,
    curve: Sequence[float],
    finished: Sequence[Course],
    margin: float,
) -> Course | None:
    """Return a finished trial that a running one cannot get past, None if there is none.

    Args:
        board: The running trial's board.
        configuration: What it shares with the trials that differ in the seed alone.
        least: What its network costs at least, its widths final.
        curve: Its validation accuracy after each epoch so far, not empty.
        finished: The trials that have finished.
        margin: See above.
    """
    bound = highest_accuracy(curve, finished, margin)
    if bound is None:
        return None
    better = [
        course
        for course in finished
        if course.board == board
        and course.configuration != configuration
        and course.costs.at_most(least)
        and course.accuracy > bound
    ]
    return max(better, key=lambda course: course.accuracy, default=None)
