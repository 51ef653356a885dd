"""What has come of a sweep: its trials, the front, and how seeds differ."""

from __future__ import annotations

import dataclasses
import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from mcuprune.notebook import html_line, html_table
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.front import front
from mcuprune.sweep.live import cells, front_table
from mcuprune.sweep.row import FINISHED, Row

COLUMNS = 120


@dataclasses.dataclass(frozen=True)
class Configuration:
    """The trials that differ in the seed alone.

    Attributes:
        board: Their board.
        label: Their budget and settings.
        trials: How many there are.
        finished: Those that have an accuracy, in the order of their numbers. Where others were
            stopped early, their mean is that of the better ones.
    """

    board: str | None
    label: str
    trials: int
    finished: tuple[Row, ...]

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Their int8 test accuracies, 0 to 1."""
        return tuple(row.accuracy for row in self.finished if row.accuracy is not None)

    def __str__(self) -> str:
        mean = statistics.fmean(self.accuracies)
        spread = f"{min(self.accuracies):.2%} to {max(self.accuracies):.2%}"
        return f"mean {mean:.2%} over {len(self.finished)} of {self.trials} seeds, {spread}"


@dataclasses.dataclass(frozen=True, repr=False)
class Summary:
    """A sweep. Printed, it is a table.

    Attributes:
        folder: Its folder.
        trials: All trials, by number.
    """

    folder: Path
    trials: tuple[Row, ...]

    @property
    def front(self) -> tuple[Row, ...]:
        """The finished trials that no other of their board is better than, most accurate first."""
        return tuple(front(self.trials))

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """The trials by what they share but the seed, those with an accuracy."""
        return tuple(each for each in configurations(self.trials) if each.finished)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials there are of each status."""
        statuses = [row.status for row in self.trials]
        return {status: statuses.count(status) for status in dict.fromkeys(statuses)}

    def deployment(self, trial: int) -> Path:
        """Return the deployment folder of a trial."""
        from mcuprune.recipes.run import DEPLOYMENT_FOLDER

        return self.folder / self.trials[trial].folder / DEPLOYMENT_FOLDER

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON types."""
        return {
            "folder": str(self.folder),
            "page": str(SweepFolder(self.folder).page),
            "counts": self.counts,
            "front": [row.trial for row in self.front],
            "trials": [row.to_json() for row in self.trials],
        }

    def items(self) -> list[Table | str]:
        """Return what is printed: the front, seeds where there are several, what is not done."""
        items: list[Table | str] = [front_table(self.front, self.trials)]
        if any(each.trials > 1 for each in self.configurations):
            items.append(_seeds_table(self.configurations))
        return [*items, *self._lines()]

    def _lines(self) -> list[str]:
        told = ", ".join(f"{number} {status}" for status, number in self.counts.items())
        lines = [f"{len(self.trials)} trials: {told}."]
        lines += [
            f"Trial {row.trial} {row.status}: {row.message}"
            for row in self.trials
            if row.message and row.status != FINISHED
        ]
        return [*lines, f"Page: {SweepFolder(self.folder).page}"]

    def _repr_html_(self) -> str:
        headings = ("trial", "board", "seed", "budget", "int8", "SRAM B", "flash B", "MACs", "time")
        rows = [
            (str(row.trial), row.board or "-", str(row.seed), row.label, *cells(row))
            for row in self.front
        ]
        table = html_table(headings, rows, title="Front", numbers=[0, 2, 4, 5, 6, 7, 8])
        return table + "".join(html_line(line) for line in self._lines())

    def __repr__(self) -> str:
        text = io.StringIO()
        console = Console(file=text, width=COLUMNS, markup=False)
        for item in self.items():
            console.print(item, soft_wrap=isinstance(item, str))
        return text.getvalue().rstrip()


def results_summary(folder: str | Path) -> Summary:
    """Read what has come of a sweep, also while it runs.

    Args:
        folder: The sweep's folder.

    Raises:
        InputError: It is none.
    """
    place = SweepFolder(Path(folder))
    place.recipe()
    return Summary(Path(folder), tuple(place.results.rows()))


def configurations(rows: Sequence[Row]) -> list[Configuration]:
    """Return trials by what they share but the seed, in the order of their first."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(row.configuration, []).append(row)
    return [
        Configuration(
            each[0].board,
            each[0].label,
            len(each),
            tuple(row for row in each if row.status == FINISHED),
        )
        for each in found.values()
    ]


def _seeds_table(found: Sequence[Configuration]) -> Table:
    table = Table(box=SIMPLE, title="Seeds", title_justify="left")
    for heading in ("board", "budget", "int8"):
        table.add_column(heading)
    for each in found:
        table.add_row(each.board or "-", each.label, str(each))
    return table
