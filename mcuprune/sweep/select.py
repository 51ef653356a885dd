"""Picks the trial to ship, and says why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget, budget_of
from mcuprune.cost.front import estimate
from mcuprune.cost.verdict import Verdict
from mcuprune.deployment.check import MODEL_FILE, check
from mcuprune.errors import InputError
from mcuprune.sweep.live import cells
from mcuprune.sweep.row import FINISHED, Row
from mcuprune.sweep.summary import Summary, configurations, results_summary

MOST_LINES = 3


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A finished trial, held against what was asked.

    Attributes:
        row: The trial, its costs as counted for the board that was asked about.
        excesses: Each limit that it does not meet, in words.
    """

    row: Row
    excesses: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[float, ...]:
        """What decides: accuracy, then time, arena, file; the smallest is the best."""
        row = self.row
        time = row.macs if row.latency_ms is None else row.latency_ms
        costs = (time or 0.0, row.peak_sram_bytes or 0, row.flash_bytes or 0)
        return (-(row.accuracy or 0.0), *costs, row.trial)


@dataclasses.dataclass(frozen=True)
class Choice:
    """The trial to ship.

    Attributes:
        winner: The trial, None if none meets the limits.
        deployment: Its folder.
        why: The reasons, one sentence each.
    """

    winner: Row | None
    deployment: Path | None
    why: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON types."""
        return {
            "winner": None if self.winner is None else self.winner.to_json(),
            "deployment": None if self.deployment is None else str(self.deployment),
            "why": list(self.why),
        }

    def __str__(self) -> str:
        return "\n".join(self.why)


def select_trial(
    folder: str | Path,
    *,
    board: str | None = None,
    max_sram: str | int | None = None,
    max_flash: str | int | None = None,
    max_macs: str | int | None = None,
    max_latency: str | int | None = None,
    min_accuracy: float = 0.0,
) -> Choice:
    """Pick the most accurate trial within limits; of equals the fastest, then the smallest.

    Args:
        folder: A sweep's folder.
        board: The board to ship on, whose memories are limits too. Trials for that board are
            looked at; where there are none, all, their files counted for it anew.
        max_sram: Limit on the arena, bytes or text with a unit.
        max_flash: Limit on flash, likewise.
        max_macs: Limit on multiply-accumulates.
        max_latency: Limit on the predicted time, microseconds or text with a unit; it needs
            ``board``.
        min_accuracy: Least int8 test accuracy, 0 to 1.

    Raises:
        InputError: The folder holds no sweep or no finished trial, or a limit is no quantity.
        UnknownNameError: No such board; names the nearest.
    """
    budget = budget_of(max_sram, max_flash, max_macs, max_latency, board)
    summary = results_summary(folder)
    rows = [row for row in summary.trials if row.status == FINISHED]
    if not rows:
        raise InputError(f"no trial of {folder} has finished: run mcuprune sweep {folder} --resume")
    looked_at = [row for row in rows if row.board == board] or rows
    is_recounted = board is not None and looked_at[0].board != board
    candidates = [_candidate(row, summary, budget, board, min_accuracy) for row in looked_at]
    choice = choose(candidates, summary)
    return _with_note(choice, board) if is_recounted else choice


def choose(candidates: Sequence[Candidate], summary: Summary) -> Choice:
    """Pick among candidates, at least one.

    Args:
        candidates: Finished trials, held against the limits.
        summary: The sweep that they belong to.
    """
    ranked = sorted(candidates, key=lambda candidate: candidate.rank)
    fitting = [each for each in ranked if not each.excesses]
    if not fitting:
        nearest = sorted(ranked, key=lambda each: len(each.excesses))[:MOST_LINES]
        return Choice(
            None,
            None,
            (f"None of {len(ranked)} finished trials meets the limits.", *map(_refused, nearest)),
        )
    winner = fitting[0].row
    refused = [each for each in ranked if each.excesses and each.rank < fitting[0].rank]
    why = [
        f"Trial {winner.trial} ({winner.title}): {_told(winner)}.",
        f"It is the most accurate of {len(fitting)} finished trials within the limits"
        + (f", of {len(ranked)} in all." if len(ranked) > len(fitting) else "."),
        *([] if len(fitting) == 1 else [_next_best(winner, fitting[1].row)]),
        *map(_refused, refused[:MOST_LINES]),
        *_seeds(winner, summary),
    ]
    return Choice(winner, summary.deployment(winner.trial), tuple(why))


def _candidate(
    row: Row, summary: Summary, budget: Budget | None, board: str | None, min_accuracy: float
) -> Candidate:
    file = summary.deployment(row.trial) / MODEL_FILE
    excesses = [] if budget is None else _excesses(check(file, budget))
    if (row.accuracy or 0.0) < min_accuracy:
        excesses.append(f"accuracy {row.accuracy:.2%} of at least {min_accuracy:.2%}")
    if board is not None and board != row.board:
        found = estimate(file, board=board)
        row = dataclasses.replace(
            row,
            peak_sram_bytes=found.peak_sram_bytes,
            flash_bytes=found.flash_bytes,
            latency_ms=found.latency_ms,
            energy_mj=found.energy_mj,
        )
    return Candidate(row, tuple(excesses))


def _excesses(verdict: Verdict) -> list[str]:
    return [
        f"{row.name} {row.required:,} of {row.available:,} {row.unit}"
        for row in verdict.rows
        if row.excess
    ]


def _told(row: Row) -> str:
    accuracy, sram, flash, macs, latency = cells(row)
    time = "" if row.latency_ms is None else f", {latency} (predicted)"
    return f"{accuracy} int8 accuracy, arena {sram} B, file {flash} B, {macs} MACs{time}"


def _next_best(winner: Row, other: Row) -> str:
    less = 100 * ((winner.accuracy or 0.0) - (other.accuracy or 0.0))
    behind = f"{less:.2f} points less" if less else "as accurate, but no faster or smaller"
    return f"Next best: trial {other.trial} ({other.title}), {behind}: {_told(other)}."


def _refused(candidate: Candidate) -> str:
    row = candidate.row
    return (
        f"Over a limit: trial {row.trial} ({row.title}), {row.accuracy or 0.0:.2%}: "
        f"{', '.join(candidate.excesses)}."
    )


def _seeds(winner: Row, summary: Summary) -> list[str]:
    """Say how its seeds differ: the best of several owes a part of its accuracy to luck."""
    for each in configurations(summary.trials):
        if winner.trial in [row.trial for row in each.finished] and len(each.finished) > 1:
            return [f"Its budget over seeds: {each}; expect the mean of new data, not the best."]
    return []


def _with_note(choice: Choice, board: str | None) -> Choice:
    note = (
        f"No trial was made for {board}: memory and time were counted anew for its firmware, but "
        f"the C sources are those of the trial's own target. Write them anew with mcuprune deploy "
        f"--board {board}."
    )
    return dataclasses.replace(choice, why=(*choice.why, note))
