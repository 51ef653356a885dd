"""Prints what `accuracy_at_budget.py` found, as Markdown, beside other tools' results if given.

    python benchmarks/accuracy_table.py
    python benchmarks/accuracy_table.py --task digits --peers peer_accuracy.csv --all-peers

Accuracies are mean and standard deviation over the seeds, arena and file the largest of them, MACs
their mean, seconds of `fit` their median. Rows marked PyTorch are not measured by this project's
code: trained in PyTorch, converted from an equal Keras model.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from accuracy.ablations import BY_CHANCE, PARTS
from accuracy.methods import BASELINES, OURS
from accuracy.part import Part, by_rate, parts, told
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
    short,
    spread,
)
from accuracy.tasks import TASKS
from accuracy_at_budget import RESULTS

SUMMARY_HEADINGS = (*Part.HEADINGS, "ours", "best baseline", "best of other tools")
LEAD_HEADINGS = (*Part.HEADINGS, "baseline", "pairs", "ours leads by, points", "ahead")
PAIRS_AT_LEAST = 2
LAST_CUT = re.compile(r"ours, last cut after epoch (\d+)")
WHEN_HEADINGS = (*Part.HEADINGS, "last cut after", "int8 %", "validation %", "seeds")
RATE_HEADINGS = (*Part.HEADINGS[:3], "method", "rate", "validation %", "int8 %", "seeds")
BEST_RATE_HEADINGS = (*Part.HEADINGS[:3], "method", "rate", "int8 %", "ours leads by", "ahead")
# Fewer do not tell which rate is better.
RATE_SEEDS_AT_LEAST = 3
PARTS_HEADINGS = (*Part.HEADINGS, *PARTS.values())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", choices=sorted(TASKS), default=list(TASKS))
    parser.add_argument("--store", type=Path, default=RESULTS)
    parser.add_argument("--peers", type=Path, help="CSV of other tools' networks")
    parser.add_argument("--all-peers", action="store_true", help="not only the best of each budget")
    return parser.parse_args()


def section(part: Part, given: argparse.Namespace) -> str:
    """Write all rows of a part; of the peers only the best unless all are asked for."""
    title = (
        f"### {part.task}, {part.limits.name}: arena {part.limits.arena_bytes:,} B, "
        f"flash {part.limits.flash_bytes:,} B, {part.epochs} epochs at {part.rate:g}"
    )
    found = peers(part, given)
    shown = best_first([*part.rows, *(found if given.all_peers else found[:1])])
    return f"{title}\n\n{markdown(HEADINGS, (row.cells for row in shown))}\n"


def summary_line(part: Part, given: argparse.Namespace) -> tuple[str, ...]:
    """Return ours, the best baseline and the best peer within a budget, in int8."""
    baselines = [row for row in part.rows if row.label in BASELINES]
    return (
        *part.cells,
        best(row for row in part.rows if row.label == OURS),
        best(baselines),
        best(peers(part, given)),
    )


def lead_lines(part: Part) -> Iterator[tuple[str, ...]]:
    """Yield by how much ours leads each baseline of which there are pairs, the best first."""
    ours = part.by_label.get(OURS)
    if ours is None:
        return
    for row in part.rows:
        if row.label in BASELINES and len({*ours.int8} & {*row.int8}) >= PAIRS_AT_LEAST:
            yield *part.cells, row.label, *lead(ours, row)


def parts_line(part: Part) -> tuple[str, ...]:
    """Return what is left without each part of ours, in int8."""
    found = part.by_label
    return *part.cells, *(short(found[label]) if label in found else "-" for label in PARTS)


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


def rate_lines(same: Sequence[Part], own: float) -> list[tuple[str, ...]]:
    """Return what comes of training faster or slower, by method.

    Args:
        same: Parts that differ in their learning rates alone.
        own: The recipe's learning rate.

    Returns:
        The methods of which several rates were tried.
    """
    return [
        (
            *same[0].cells[:3],
            method,
            f"{rate:g}, the recipe's" if rate == own else f"{rate:g}",
            spread(row.validation),
            spread(row.accuracies),
            str(len(row.int8)),
        )
        for method, tried in tried_rates(same).items()
        if len(tried) > 1
        for rate, row in tried.items()
    ]


def best_rate_lines(same: Sequence[Part]) -> list[tuple[str, ...]]:
    """Return what methods reach at the rate that the validation data like best with each.

    Of two that validate the same the higher counts.

    Args:
        same: Parts that differ in their learning rates alone.

    Returns:
        Ours and the baselines of which several rates were tried with enough seeds, ours first;
        nothing if ours is not among them.
    """
    chosen = {}
    for method, tried in tried_rates(same).items():
        enough = {r: row for r, row in tried.items() if len(row.int8) >= RATE_SEEDS_AT_LEAST}
        if len(enough) > 1:
            validates = {r: round(statistics.fmean(enough[r].validation), 6) for r in enough}
            rate = max(validates, key=lambda rate: (validates[rate], rate))
            chosen[method] = rate, enough[rate]
    if OURS not in chosen or len(chosen) < 2:
        return []
    rate, ours = chosen.pop(OURS)
    cells = same[0].cells[:3]
    others = [(row.label, row) for row in best_first(row for _, row in chosen.values())]
    return [
        (*cells, OURS, f"{rate:g}", spread(ours.accuracies), "-", "-"),
        *(
            (*cells, label, f"{chosen[label][0]:g}", spread(row.accuracies), *lead(ours, row)[1:])
            for label, row in others
        ),
    ]


def tells_more(part: Part, first: Part) -> bool:
    """Return whether a part has ours, more than once, and methods that another part lacks."""
    runs_of_ours = len(part.by_label[OURS].int8) if OURS in part.by_label else 0
    return runs_of_ours > 1 and not set(part.by_label) <= set(first.by_label)


def tried_rates(same: Sequence[Part]) -> dict[str, dict[float, Row]]:
    """Return the rows of ours and of the baselines, by method and learning rate, ours first."""
    return {
        method: {part.rate: part.by_label[method] for part in same if method in part.by_label}
        for method in (OURS, *BASELINES)
    }


def own_rate(task: str) -> float:
    """Return the learning rate of a task's recipe."""
    rate: float = TASKS[task].settings(None).training.learning_rate
    return rate


def last_cut_of(part: Part) -> int:
    """Return the epoch of the recipe's last cut at the part's number of epochs."""
    end_epoch = TASKS[part.task].settings(part.epochs).pruning.end_epoch
    assert end_epoch is not None
    return end_epoch


def peers(part: Part, given: argparse.Namespace) -> list[Row]:
    """Return the peers' rows within a budget, the best first; they trained the recipe's epochs."""
    task = TASKS[part.task]
    if given.peers is None or task.letter is None or part.limits.name == "1":
        return []
    if part.epochs != task.settings(None).training.epochs:
        return []
    return peer_rows(fitting(read_points(given.peers, task.letter), part.limits))


def main() -> None:
    given = arguments()
    store = Store(given.store)
    found = [part for name in given.task for part in parts(TASKS[name], store.read(name).values())]
    same = list(by_rate(found))
    chosen = [told(each, own_rate(each[0].task)) for each in same]
    summary = (summary_line(part, given) for part in chosen)
    print(f"### Summary, int8 %\n\n{markdown(SUMMARY_HEADINGS, summary)}\n")
    leads = (line for part in chosen for line in lead_lines(part))
    print(f"### Seed by seed, int8\n\n{markdown(LEAD_HEADINGS, leads)}\n")
    taken_apart = (parts_line(part) for part in found if BY_CHANCE in part.by_label)
    print(f"### What each part brings, int8 % (seeds)\n\n{markdown(PARTS_HEADINGS, taken_apart)}\n")
    when = (line for part in found for line in when_lines(part, last_cut_of(part)))
    print(f"### When the last cut is made\n\n{markdown(WHEN_HEADINGS, when)}\n")
    best_rates = (line for each in same for line in best_rate_lines(each))
    print(f"### Each method at its best rate\n\n{markdown(BEST_RATE_HEADINGS, best_rates)}\n")
    rates = (line for each in same for line in rate_lines(each, own_rate(each[0].task)))
    print(f"### The learning rate\n\n{markdown(RATE_HEADINGS, rates)}\n")
    for each, first in zip(same, chosen, strict=True):
        for part in (first, *(part for part in each if tells_more(part, first))):
            print(section(part, given))


if __name__ == "__main__":
    main()
