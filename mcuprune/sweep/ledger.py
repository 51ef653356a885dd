"""The state of a sweep while it runs: which trial is where, kept in the table at every change."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.front import costs_of, with_front
from mcuprune.sweep.row import FAILED, FINISHED, RUNNING, STOPPED, WAITING, Row
from mcuprune.sweep.stopping import Course, dominating
from mcuprune.sweep.trial import Epoch, failure, forget_failure, kept_result, val_curve


class Ledger:
    """Rows, the epochs of what runs, and the verdicts of early stopping.

    Args:
        folder: The sweep's.
        rows: The trials there are.
        margin: See :mod:`mcuprune.sweep.stopping`; None stops no trial.

    Attributes:
        epochs: The last epoch of each trial that runs.
        began: When this process began each of its trials, by :func:`time.monotonic`.
        ended_seconds: Wall seconds of each trial that this process has seen from begin to end.
    """

    def __init__(self, folder: SweepFolder, rows: Sequence[Row], margin: float | None) -> None:
        self._folder = folder
        self._margin = margin
        self._rows = {row.trial: row for row in rows}
        self._curves: dict[int, list[float]] = {}
        self._dominated_by: dict[int, Course] = {}
        self._courses = [self._course(row) for row in rows if row.status == FINISHED]
        self.epochs: dict[int, Epoch] = {}
        self.began: dict[int, float] = {}
        self.ended_seconds: list[float] = []
        self._keep()

    @property
    def rows(self) -> list[Row]:
        """All trials so far, by number."""
        return [self._rows[number] for number in sorted(self._rows)]

    def row(self, number: int) -> Row:
        """Return a trial."""
        return self._rows[number]

    def plan(self, row: Row) -> None:
        """Note a trial that a search has made, before it begins."""
        if row.trial not in self._rows:
            self._set(row)

    def begin(self, row: Row) -> None:
        """Note that a trial begins, or begins again after its process died."""
        self.began.setdefault(row.trial, time.monotonic())
        self._curves[row.trial] = []
        self._set(dataclasses.replace(row, status=RUNNING, message="", began=time.time()))

    def epoch(self, number: int, epoch: Epoch) -> Course | None:
        """Note an epoch of a trial; return the finished trial that it cannot get past, if any."""
        self.epochs[number] = epoch
        # A trial that goes on tells of its later epochs only; the earlier ones are in its folder.
        curve = val_curve(self._folder.trial(self.row(number)))[: epoch.epoch]
        self._curves[number] = curve or [epoch.val_accuracy]
        if self._margin is None or epoch.least is None or epoch.epoch >= epoch.epochs:
            return None
        row = self.row(number)
        better = dominating(
            row.board,
            row.configuration,
            epoch.least,
            self._curves[number],
            self._courses,
            self._margin,
        )
        if better is not None:
            self._dominated_by[number] = better
        return better

    def end(self, number: int) -> Row:
        """Note that a trial has ended, as its folder says, or was stopped; return its row."""
        row = self.row(number)
        kept = kept_result(row, self._folder.trial(row))
        if kept is not None:
            end = kept
        elif number in self._dominated_by:
            end = self._stopped(row)
        else:
            said = failure(self._folder.trial(row)) or "it ended without a result"
            end = dataclasses.replace(row, status=FAILED, message=said)
        return self._ended(end)

    def fail(self, number: int, message: str) -> Row:
        """Note that the process of a trial has died too often; return its row."""
        return self._ended(dataclasses.replace(self.row(number), status=FAILED, message=message))

    def _ended(self, row: Row) -> Row:
        self.epochs.pop(row.trial, None)
        if (began := self.began.pop(row.trial, None)) is not None:
            self.ended_seconds.append(time.monotonic() - began)
        if row.status == FINISHED:
            self._courses.append(self._course(row))
        self._set(dataclasses.replace(row, began=self.row(row.trial).began, ended=time.time()))
        return self.row(row.trial)

    def _stopped(self, row: Row) -> Row:
        curve, better = self._curves[row.trial], self._dominated_by[row.trial]
        return dataclasses.replace(
            row,
            status=STOPPED,
            epochs=len(curve),
            val_accuracy=curve[-1],
            message=(
                f"after epoch {len(curve)}: trial {better.trial} needs no more of anything and "
                f"reaches {better.accuracy:.2%}, more than this one can be expected to"
            ),
        )

    def _course(self, row: Row) -> Course:
        costs = costs_of(row)
        assert costs is not None
        assert row.accuracy is not None
        curve = val_curve(self._folder.trial(row))
        return Course(row.trial, row.board, row.configuration, costs, row.accuracy, curve)

    def _set(self, row: Row) -> None:
        self._rows[row.trial] = row
        self._keep()

    def _keep(self) -> None:
        """Write the rows that have changed; another trial may have pushed one off the front."""
        before = {row.trial: row for row in self._folder.results.rows()}
        rows = with_front(self.rows)
        self._rows = {row.trial: row for row in rows}
        self._folder.results.put([row for row in rows if before.get(row.trial) != row])


def taken_up(rows: Sequence[Row], folder: SweepFolder) -> list[Row]:
    """Return the trials of a sweep that was stopped or killed, as they are to go on.

    Those whose worker has ended them meanwhile are done; the others wait, and what they have
    trained is in their folders.
    """
    return [_taken_up(row, folder) for row in rows]


def _taken_up(row: Row, folder: SweepFolder) -> Row:
    if row.is_settled:
        return row
    place = folder.trial(row)
    if (kept := kept_result(row, place)) is not None:
        return kept
    forget_failure(place)
    return dataclasses.replace(row, status=WAITING, message="")
