"""What a training did, epoch by epoch, from the log that it left."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from mcuprune.report.progress import RESOURCES

HISTORY_FILE = "history.csv"
# Key of Keras's logs and what to call it.
_ACCURACIES = {"val_accuracy": "validation", "accuracy": "training"}
_LOSSES = {"val_loss": "validation", "loss": "training"}


@dataclasses.dataclass(frozen=True)
class Series:
    """A number that changed over the epochs.

    Attributes:
        label: What it is.
        values: One per epoch, None where the log has none.
        limit: What the budget allows, None if it is not limited.
    """

    label: str
    values: tuple[float | None, ...]
    limit: float | None = None


@dataclasses.dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        title: Which one.
        epochs: How many epochs it has.
        accuracies: Shares, 0 to 1, in training and validation.
        losses: Likewise.
        resources: Bytes, MACs and microseconds, predicted, with their limits.
    """

    title: str
    epochs: int
    accuracies: tuple[Series, ...]
    losses: tuple[Series, ...]
    resources: tuple[Series, ...]


def read_training(path: Path, title: str) -> Training | None:
    """Read a training's log.

    Args:
        path: A file that Keras's ``CSVLogger`` wrote.
        title: Which training it is of.

    Returns:
        None if there is no such file, or no epoch in it.
    """
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    if not lines:
        return None
    columns = {key: [_number(line.get(key)) for line in lines] for key in lines[0] if key}
    return Training(
        title,
        len(lines),
        _series(columns, _ACCURACIES),
        _series(columns, _LOSSES),
        _series(columns, RESOURCES),
    )


def _series(
    columns: Mapping[str, Sequence[float | None]], labels: Mapping[str, str]
) -> tuple[Series, ...]:
    return tuple(
        Series(label, tuple(columns[key]), _last(columns.get(f"{key}_budget", ())))
        for key, label in labels.items()
        if _last(columns.get(key, ())) is not None
    )


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _number(text: str | None) -> float | None:
    """Return a cell's number; None where there is none."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
