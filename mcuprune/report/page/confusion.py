"""A confusion matrix as a grid, or as its largest entries where a grid would be too large."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from mcuprune.report.contents import Confusion

MOST_CLASSES = 24
MOST_ENTRIES = 12
# Least strength of a cell's colour. Numbers turn light in the light theme at "deep", dark in the
# dark theme at "half" already.
_DEPTHS = {"deep": 0.8, "half": 0.6}


@dataclasses.dataclass(frozen=True)
class Cell:
    """How often one class was taken for another.

    Attributes:
        count: How often.
        share: Of the true class, 0 to 1.
        is_right: Whether both are the same class.
        said: The same in words.
    """

    count: int
    share: float
    is_right: bool
    said: str

    @property
    def strength(self) -> float:
        """How much of its colour the cell has, 0 to 1; the root, so that rare mistakes show."""
        return math.sqrt(self.share)

    @property
    def depth(self) -> str:
        """Class of the style sheet that sets a number legible on that colour."""
        return next((name for name, least in _DEPTHS.items() if self.strength >= least), "pale")


@dataclasses.dataclass(frozen=True)
class ConfusionView:
    """A matrix to draw.

    Attributes:
        title: Whose it is.
        origin: What executed it.
        right: Answers that are right.
        total: Answers in all.
        classes: What to call each class; its number where it has no name.
        is_named: Whether the classes have names.
        rows: A row per true class; empty where there are too many classes.
        entries: What was confused most, in words, most often first.
    """

    title: str
    origin: str
    right: int
    total: int
    classes: tuple[str, ...]
    is_named: bool
    rows: tuple[tuple[Cell, ...], ...]
    entries: tuple[str, ...]


def confusion_view(confusion: Confusion) -> ConfusionView:
    """Return how a matrix is shown."""
    numbers = tuple(map(str, range(len(confusion.counts))))
    said = confusion.classes or tuple(f"class {number}" for number in numbers)
    rows = tuple(_row(true, counts, said) for true, counts in enumerate(confusion.counts))
    wrong = [cell for row in rows for cell in row if cell.count and not cell.is_right]
    wrong.sort(key=lambda cell: -cell.count)
    return ConfusionView(
        confusion.label,
        confusion.origin,
        confusion.right,
        confusion.total,
        confusion.classes or numbers,
        bool(confusion.classes),
        rows if len(rows) <= MOST_CLASSES else (),
        tuple(cell.said for cell in wrong[:MOST_ENTRIES]),
    )


def _row(true: int, counts: Sequence[int], said: Sequence[str]) -> tuple[Cell, ...]:
    total = sum(counts)
    return tuple(
        Cell(
            count,
            count / total if total else 0.0,
            true == taken,
            f"{said[true]} {'answered right' if true == taken else f'taken for {said[taken]}'}: "
            f"{count:,} of {total:,}",
        )
        for taken, count in enumerate(counts)
    )
