"""Prints what `accuracy_at_budget.py` found, as Markdown, beside other tools' results if given.

    python benchmarks/accuracy_table.py
    python benchmarks/accuracy_table.py --task digits --peers peer_accuracy.csv --all-peers

Accuracies are mean and standard deviation over the seeds, arena and file the largest of them, MACs
their mean, seconds of `fit` their median. Rows marked PyTorch are not measured by this project's
code: trained in PyTorch, converted from an equal Keras model.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from accuracy.ablations import BY_CHANCE, PARTS
from accuracy.methods import BASELINES, OURS
from accuracy.peers import fitting, read_points
from accuracy.store import Store
from accuracy.table import (
    HEADINGS,
    Row,
    best,
    best_first,
    lead,
    markdown,
    peer_rows,
    rows,
    short,
    spread,
)
from accuracy.tasks import TASKS, Limits, Task
from accuracy_at_budget import RESULTS

SUMMARY_HEADINGS = ("task", "budget", "epochs", "ours", "best baseline", "best of other tools")
LEAD_HEADINGS = ("task", "budget", "epochs", "baseline", "pairs", "ours leads by, points", "ahead")
PAIRS_AT_LEAST = 2
LAST_CUT = re.compile(r"ours, last cut after epoch (\d+)")
WHEN_HEADINGS = ("task", "budget", "epochs", "last cut after", "int8 %", "validation %", "seeds")
AT_RATE = re.compile(r"(.+), learning rate ([\d.]+)")
RATE_HEADINGS = ("task", "budget", "method", "learning rate", "validation %", "int8 %", "seeds")
BEST_RATE_HEADINGS = ("task", "budget", "method", "rate", "int8 %", "ours leads by", "ahead")
# Fewer do not tell which rate is better.
RATE_SEEDS_AT_LEAST = 3
PARTS_HEADINGS = ("task", "budget", "epochs", *PARTS.values())


@dataclasses.dataclass(frozen=True)
class Part:
    """The results of one task, budget and number of epochs.

    Attributes:
        task: Name of the task.
        epochs: Passes over the training inputs.
        limits: The budget.
        rows: Methods, the best first.
        peers: Other tools, the best first.
    """

    task: str
    epochs: int
    limits: Limits
    rows: list[Row]
    peers: list[Row]

    @property
    def cells(self) -> tuple[str, str, str]:
        """Task, budget and epochs as printed."""
        return self.task, self.limits.name, str(self.epochs)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", choices=sorted(TASKS), default=list(TASKS))
    parser.add_argument("--store", type=Path, default=RESULTS)
    parser.add_argument("--peers", type=Path, help="CSV of other tools' networks")
    parser.add_argument("--all-peers", action="store_true", help="not only the best of each budget")
    return parser.parse_args()


def parts(task: Task, given: argparse.Namespace) -> Iterator[Part]:
    """Yield what there is of a task, by epochs and budget."""
    records = Store(given.store).read(task.name)
    for epochs in sorted({key.epochs for key in records}):
        own = epochs == task.settings(None).training.epochs
        for budget, limits in task.budgets.items():
            chosen = [r for k, r in records.items() if (k.epochs, k.budget) == (epochs, budget)]
            peers = peers_within(task, budget, given) if own else []
            if chosen:
                yield Part(task.name, epochs, limits, rows(chosen), peers)


def section(part: Part, given: argparse.Namespace) -> str:
    """Write all rows of a part; of the peers only the best unless all are asked for."""
    title = (
        f"### {part.task}, {part.limits.name}: arena {part.limits.arena_bytes:,} B, "
        f"flash {part.limits.flash_bytes:,} B, {part.epochs} epochs"
    )
    peers = part.peers if given.all_peers else part.peers[:1]
    shown = best_first([*part.rows, *peers])
    return f"{title}\n\n{markdown(HEADINGS, (row.cells for row in shown))}\n"


def summary_line(part: Part) -> tuple[str, ...]:
    """Return ours, the best baseline and the best peer within a budget, in int8."""
    baselines = [row for row in part.rows if row.label in BASELINES]
    return (
        *part.cells,
        best(row for row in part.rows if row.label == OURS),
        best(baselines),
        best(part.peers),
    )


def lead_lines(part: Part) -> Iterator[tuple[str, ...]]:
    """Yield by how much ours leads each baseline of which there are pairs, the best first."""
    ours = next((row for row in part.rows if row.label == OURS), None)
    if ours is None:
        return
    for row in part.rows:
        if row.label in BASELINES and len({*ours.int8} & {*row.int8}) >= PAIRS_AT_LEAST:
            yield *part.cells, row.label, *lead(ours, row)


def parts_line(part: Part) -> tuple[str, ...]:
    """Return what is left without each part of ours, in int8."""
    by_label = {row.label: row for row in part.rows}
    told = (short(by_label[label]) if label in by_label else "-" for label in PARTS)
    return *part.cells, *told


def when_lines(part: Part, own: int) -> list[tuple[str, ...]]:
    """Return what comes of cutting earlier or later, by the epoch of the last cut.

    Args:
        part: The results.
        own: When the recipe makes it.

    Returns:
        Nothing if only the recipe's own was tried.
    """
    tried = {}
    for row in part.rows:
        if row.label == OURS:
            tried[own] = row
        elif varied := LAST_CUT.fullmatch(row.label):
            tried[int(varied[1])] = row
    if len(tried) < 2:
        return []
    return [
        (
            *part.cells,
            f"{epoch}, the recipe's" if epoch == own else str(epoch),
            spread(row.accuracies),
            spread(row.validation),
            str(len(row.int8)),
        )
        for epoch, row in sorted(tried.items())
    ]


def rate_lines(part: Part, own: float) -> list[tuple[str, ...]]:
    """Return what comes of training faster or slower, by method.

    Args:
        part: The results.
        own: The recipe's learning rate.

    Returns:
        The methods of which several rates were tried.
    """
    return [
        (
            *part.cells[:2],
            method,
            f"{rate:g}, the recipe's" if rate == own else f"{rate:g}",
            spread(row.validation),
            spread(row.accuracies),
            str(len(row.int8)),
        )
        for method, by_rate in rates_of(part, own).items()
        if len(by_rate) > 1
        for rate, row in sorted(by_rate.items())
    ]


def best_rate_lines(part: Part, own: float) -> list[tuple[str, ...]]:
    """Return what methods reach at the rate that the validation data like best with each.

    Args:
        part: The results.
        own: The recipe's learning rate.

    Returns:
        Ours and the baselines of which several rates were tried with enough seeds, ours first;
        nothing if ours is not among them.
    """
    chosen = {}
    for method, by_rate in rates_of(part, own).items():
        enough = {r: row for r, row in by_rate.items() if len(row.int8) >= RATE_SEEDS_AT_LEAST}
        if len(enough) > 1:
            rate = max(enough, key=lambda rate: statistics.fmean(enough[rate].validation))
            chosen[method] = rate, enough[rate]
    if OURS not in chosen or len(chosen) < 2:
        return []
    rate, ours = chosen.pop(OURS)
    told = (*part.cells[:2], OURS, f"{rate:g}", spread(ours.accuracies), "-", "-")
    return [
        told,
        *(
            (*part.cells[:2], method, f"{rate:g}", spread(row.accuracies), *lead(ours, row)[1:])
            for method, (rate, row) in chosen.items()
        ),
    ]


def rates_of(part: Part, own: float) -> dict[str, dict[float, Row]]:
    """Return the rows of ours and of the baselines, by method and learning rate."""
    tried: dict[str, dict[float, Row]] = {}
    for row in part.rows:
        varied = AT_RATE.fullmatch(row.label)
        method, rate = (varied[1], float(varied[2])) if varied else (row.label, own)
        if method == OURS or method in BASELINES:
            tried.setdefault(method, {})[rate] = row
    return tried


def own_rate_of(part: Part) -> float:
    """Return the learning rate of the recipe."""
    rate: float = TASKS[part.task].settings(part.epochs).training.learning_rate
    return rate


def last_cut_of(part: Part) -> int:
    """Return the epoch of the recipe's last cut at the part's number of epochs."""
    end_epoch = TASKS[part.task].settings(part.epochs).pruning.end_epoch
    assert end_epoch is not None
    return end_epoch


def peers_within(task: Task, budget: str, given: argparse.Namespace) -> list[Row]:
    """Return the peers' rows within a budget, the best first."""
    if given.peers is None or task.letter is None or budget == "1":
        return []
    return peer_rows(fitting(read_points(given.peers, task.letter), task.budgets[budget]))


def main() -> None:
    given = arguments()
    found = [part for name in given.task for part in parts(TASKS[name], given)]
    print(f"### Summary, int8 %\n\n{markdown(SUMMARY_HEADINGS, map(summary_line, found))}\n")
    leads = (line for part in found for line in lead_lines(part))
    print(f"### Seed by seed, int8\n\n{markdown(LEAD_HEADINGS, leads)}\n")
    taken_apart = [part for part in found if BY_CHANCE in {row.label for row in part.rows}]
    print(
        "### What each part brings, int8 % (seeds)\n\n"
        f"{markdown(PARTS_HEADINGS, map(parts_line, taken_apart))}\n"
    )
    when = (line for part in found for line in when_lines(part, last_cut_of(part)))
    print(f"### When the last cut is made\n\n{markdown(WHEN_HEADINGS, when)}\n")
    best_rates = (line for part in found for line in best_rate_lines(part, own_rate_of(part)))
    print(f"### Each method at its best rate\n\n{markdown(BEST_RATE_HEADINGS, best_rates)}\n")
    rates = (line for part in found for line in rate_lines(part, own_rate_of(part)))
    print(f"### The learning rate\n\n{markdown(RATE_HEADINGS, rates)}\n")
    for part in found:
        print(section(part, given))


if __name__ == "__main__":
    main()
