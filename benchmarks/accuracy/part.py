"""The results of one task, budget, number of epochs and learning rate."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from accuracy.methods import OURS
from accuracy.table import Row, rows
from accuracy.tasks import Limits, Task

# What the label of a run ends with whose learning rate is not the recipe's.
_AT_RATE = re.compile(r", learning rate [\d.]+$")


@dataclasses.dataclass(frozen=True)
class Part:
    """The results of one task, budget, number of epochs and learning rate.

    Attributes:
        task: Name of the task.
        epochs: Passes over the training inputs.
        limits: The budget.
        rate: The learning rate.
        rows: Methods, the best first.
    """

    HEADINGS = ("task", "budget", "epochs", "rate")

    task: str
    epochs: int
    limits: Limits
    rate: float
    rows: Sequence[Row]

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Task, budget, epochs and learning rate as printed."""
        return self.task, self.limits.name, str(self.epochs), f"{self.rate:g}"

    @property
    def by_label(self) -> dict[str, Row]:
        """The rows by what they are called."""
        return {row.label: row for row in self.rows}


def parts(task: Task, records: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    """Yield what there is of a task, by budget, epochs and learning rate."""
    found: dict[tuple[int, str, float], list[Mapping[str, Any]]] = defaultdict(list)
    for record in records:
        rate = record["settings"]["learning_rate"]
        plain = {**record, "label": _AT_RATE.sub("", record["label"])}
        found[record["epochs"], record["budget"], rate].append(plain)
    order = list(task.budgets)
    for epochs, budget, rate in sorted(
        found, key=lambda key: (key[0], order.index(key[1]), key[2])
    ):
        chosen = found[epochs, budget, rate]
        yield Part(task.name, epochs, task.budgets[budget], rate, rows(chosen))


def by_rate(found: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield lists of parts that differ in their learning rates alone."""
    for _, same in itertools.groupby(found, key=lambda part: part.cells[:3]):
        yield list(same)


def told(same: Sequence[Part], own: float) -> Part:
    """Return the part that stands for its budget.

    Args:
        same: Parts that differ in their learning rates alone.
        own: The recipe's learning rate.

    Returns:
        That of the recipe's rate if ours has been run at it more than once, else that of most runs
        of ours.
    """

    def runs_of_ours(part: Part) -> tuple[bool, int]:
        runs = len(part.by_label[OURS].int8) if OURS in part.by_label else 0
        return part.rate == own and runs > 1, runs

    return max(same, key=runs_of_ours)
