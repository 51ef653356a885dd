"""Results as a table: one row per task, budget and method, best int8 accuracy first."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accuracy.peers import Point

HEADINGS = (
    "method",
    "seeds",
    "int8 %",
    "float %",
    "validation %",
    "arena B",
    "flash B",
    "MACs",
    "fit s",
    "fits",
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What a method reached within a budget, over its seeds.

    Attributes:
        label: The method.
        int8: Accuracies of the files by seed, 0 to 1.
        floats: Accuracies of the Keras models, 0 to 1; empty for peers.
        validation: Theirs on the validation inputs, by which variants are to be chosen; likewise.
        arena_bytes: The largest of all seeds.
        flash_bytes: Likewise.
        macs: Their mean.
        fit_seconds: Their median, None for peers.
        fits: Whether all fit.
    """

    label: str
    int8: Mapping[int, float]
    floats: Sequence[float]
    validation: Sequence[float]
    arena_bytes: int
    flash_bytes: int
    macs: int
    fit_seconds: float | None
    fits: bool

    @property
    def accuracies(self) -> list[float]:
        """Of the files, 0 to 1."""
        return list(self.int8.values())

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as printed."""
        return (
            self.label,
            str(len(self.int8)),
            spread(self.accuracies),
            spread(self.floats) if self.floats else "",
            spread(self.validation) if self.validation else "",
            f"{self.arena_bytes:,}",
            f"{self.flash_bytes:,}",
            f"{self.macs:,}",
            "" if self.fit_seconds is None else f"{self.fit_seconds:.0f}",
            "yes" if self.fits else "NO",
        )


def spread(shares: Sequence[float]) -> str:
    """Return mean and sample standard deviation in percent; a lone value as it is.

    >>> spread([0.98, 0.99]), spread([0.5])
    ('98.50 +- 0.71', '50.00')
    """
    percent = [100 * share for share in shares]
    mean = f"{statistics.mean(percent):.2f}"
    return f"{mean} +- {statistics.stdev(percent):.2f}" if len(percent) > 1 else mean


def short(row: Row) -> str:
    """Return a row's int8 accuracy and its number of seeds."""
    return f"{spread(row.accuracies)} ({len(row.int8)})"


def lead(ours: Row, other: Row) -> tuple[str, str, str]:
    """Return by how many points one row leads another, seed by seed.

    Returns:
        The number of pairs, the mean difference with its standard error, and in how many pairs the
        first is ahead; a pair that is level counts half.
    """
    pairs = [(ours.int8[seed], other.int8[seed]) for seed in sorted({*ours.int8} & {*other.int8})]
    points = [100 * (one - two) for one, two in pairs]
    mean = f"{round(statistics.mean(points), 2) + 0.0:+.2f}"  # No -0.00.
    if len(points) > 1:
        mean += f" +- {statistics.stdev(points) / math.sqrt(len(points)):.2f}"
    ahead = sum((one > two) + (one == two) / 2 for one, two in pairs)
    return str(len(points)), mean, f"{ahead:g}"


def rows(records: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of a task, a budget and a number of epochs, best first."""
    by_label = defaultdict(list)
    for record in records:
        by_label[record["label"]].append(record)
    return best_first(_row(label, runs) for label, runs in by_label.items())


def peer_rows(peers: Mapping[str, Sequence[Point]]) -> list[Row]:
    """Return the rows of the peers, best first, marked as trained elsewhere."""
    return best_first(
        Row(
            label=f"{method}, PyTorch",
            int8={point.seed: point.int8 for point in points},
            floats=[],
            validation=[],
            arena_bytes=max(point.arena_bytes for point in points),
            flash_bytes=max(point.flash_bytes for point in points),
            macs=round(statistics.mean(point.macs for point in points)),
            fit_seconds=None,
            fits=True,
        )
        for method, points in peers.items()
    )


def best_first(found: Iterable[Row]) -> list[Row]:
    """Sort rows by mean int8 accuracy, falling."""
    return sorted(found, key=lambda row: -statistics.mean(row.accuracies))


def markdown(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    rule = ["---"] * len(headings)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, rule, *lines))


def best(found: Iterable[Row]) -> str:
    """Return accuracy, name and seeds of the best of some rows, a dash if there is none."""
    first = next(iter(best_first(found)), None)
    if first is None:
        return "-"
    return f"{spread(first.accuracies)} ({first.label}; seeds: {len(first.int8)})"


def _row(label: str, runs: Sequence[Mapping[str, Any]]) -> Row:
    resources = [run["resources"] for run in runs]
    return Row(
        label=label,
        int8={run["seed"]: run["accuracy"]["int8"] for run in runs},
        floats=[run["accuracy"]["float"] for run in runs],
        validation=[run["accuracy"]["float_validation"] for run in runs],
        arena_bytes=max(one["arena_bytes"] for one in resources),
        flash_bytes=max(one["flash_bytes"] for one in resources),
        macs=round(statistics.mean(one["macs"] for one in resources)),
        fit_seconds=statistics.median(run["fit_seconds"] for run in runs),
        fits=all(run["fits"] for run in runs),
    )
