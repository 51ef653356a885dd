"""A sweep while it runs, on stderr: trials, the front so far, the time that is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from mcuprune.sweep.front import front
from mcuprune.sweep.ledger import Ledger
from mcuprune.sweep.row import FAILED, FINISHED, INFEASIBLE, RUNNING, STOPPED, WAITING, Row
from mcuprune.units import format_milliseconds

# Lines of trials and of the front that are shown at once.
MOST_LINES = 12
_STATUSES = (RUNNING, FINISHED, STOPPED, INFEASIBLE, FAILED)


def front_table(rows: Sequence[Row], among: Sequence[Row], title: str = "Front") -> Table:
    """Return a table of trials with what they cost and reach.

    Args:
        rows: The trials.
        among: All trials of the sweep: the table says what tells a trial from these.
        title: Above the table.
    """
    table = Table(box=SIMPLE, title=title, title_justify="left")
    has_boards = any(row.board for row in among)
    for heading in ("trial", *(["board"] if has_boards else []), "seed"):
        table.add_column(heading, no_wrap=True)
    table.add_column("budget", overflow="fold")
    for heading in ("int8", "SRAM B", "flash B", "MACs", *(["latency"] if has_boards else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        *costs, latency = cells(row)
        board, time_taken = ([row.board or "-"], [latency]) if has_boards else ([], [])
        label = row.label_beside(among)
        table.add_row(str(row.trial), *board, str(row.seed), label, *costs, *time_taken)
    return table


def cells(row: Row) -> tuple[str, str, str, str, str]:
    """Write a trial's accuracy and costs, ``-`` where there are none."""
    return (
        "-" if row.accuracy is None else f"{row.accuracy:.2%}",
        _number(row.peak_sram_bytes),
        _number(row.flash_bytes),
        _number(row.macs),
        "-" if row.latency_ms is None else format_milliseconds(row.latency_ms),
    )


def seconds_left(ledger: Ledger, trials: int, at_once: int, now: float) -> float | None:
    """Return the time that a sweep will take, None before a trial has ended.

    Trials take as long as those that this process has seen on average.

    Args:
        ledger: The state.
        trials: Trials in all.
        at_once: How many run at once.
        now: By :func:`time.monotonic`.
    """
    if not ledger.ended_seconds:
        return None
    mean = sum(ledger.ended_seconds) / len(ledger.ended_seconds)
    spent = sum(min(mean, now - began) for began in ledger.began.values())
    open_trials = trials - sum(row.is_settled or row.status == FAILED for row in ledger.rows)
    return max(0.0, (mean * open_trials - spent) / at_once)


def written_duration(seconds: float) -> str:
    """Write a time to come, roughly.

    >>> written_duration(42), written_duration(200), written_duration(7500)
    ('42 s', '3 min', '2 h 5 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


class LiveView:
    """Shows a sweep inside its ``with`` block: tables in a terminal, lines elsewhere.

    Args:
        ledger: The state.
        trials: Trials in all.
        at_once: How many run at once.
        console: Where to write; stderr if None.
    """

    def __init__(
        self, ledger: Ledger, trials: int, at_once: int, console: Console | None = None
    ) -> None:
        self._ledger, self._trials, self._at_once = ledger, trials, at_once
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def began(self, row: Row, *, again: bool = False) -> None:
        """Show that a trial begins, or goes on after its process died."""
        how = "goes on from its last epoch: its process died" if again else "begins"
        self._say(f"trial {row.trial} ({row.title}) {how}")

    def ended(self, row: Row) -> None:
        """Show how a trial has ended."""
        found = f": {row.message}" if row.message else ""
        if row.accuracy is not None:
            accuracy, sram, flash, macs, latency = cells(row)
            found = f": int8 {accuracy}, SRAM {sram} B, flash {flash} B, {macs} MACs, {latency}"
            found += ", on the front" if row.on_front else ""
        self._say(f"trial {row.trial} ({row.title}) {row.status}{found}. {self._standing()}")

    def refresh(self) -> None:
        """Show the state as it is now."""
        if self._console.is_terminal:
            self._live.update(self.tables(), refresh=True)

    def tables(self) -> Group:
        """Return what a terminal shows."""
        rows = self._ledger.rows
        best = front(rows)
        shown = best[:MOST_LINES]
        more = f" ({len(best) - len(shown)} more)" if len(best) > len(shown) else ""
        table = front_table(shown, rows, f"Front so far{more}")
        return Group(self._running(), table, self._standing())

    def _running(self) -> Table:
        table = Table(box=SIMPLE, title="Trials", title_justify="left")
        for heading in ("trial", "board", "seed", "budget", "epoch", "validation"):
            table.add_column(heading)
        running = [row for row in self._ledger.rows if row.status == RUNNING]
        for row in running[:MOST_LINES]:
            epoch = self._ledger.epochs.get(row.trial)
            progress = ("-", "-")
            if epoch is not None:
                progress = (f"{epoch.epoch}/{epoch.epochs}", f"{epoch.val_accuracy:.1%}")
            label = row.label_beside(self._ledger.rows)
            table.add_row(str(row.trial), row.board or "-", str(row.seed), label, *progress)
        return table

    def _standing(self) -> str:
        statuses = [row.status for row in self._ledger.rows]
        counts = {status: statuses.count(status) for status in _STATUSES}
        counts[WAITING] = self._trials - sum(counts.values())
        told = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
        left = seconds_left(self._ledger, self._trials, self._at_once, time.monotonic())
        rest = "" if left is None else f"; about {written_duration(left)} left"
        return f"{told}, of {self._trials}{rest}"

    def _say(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, highlight=False, soft_wrap=True, markup=False)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
