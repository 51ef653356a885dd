"""Prints what `accuracy_at_budget.py` found, as Markdown, beside other tools' results if given.

    python benchmarks/accuracy_table.py
    python benchmarks/accuracy_table.py --task digits --peers peer_accuracy.csv --all-peers

Accuracies are mean and standard deviation over the seeds, arena and file the largest of them, MACs
their mean, seconds of `fit` their median. Rows marked PyTorch are not measured by this project's
code: trained in PyTorch, converted from an equal Keras model.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from accuracy.peers import fitting, read_points
from accuracy.store import Store
from accuracy.table import Row, best_first, markdown, peer_rows, rows
from accuracy.tasks import TASKS, Task
from accuracy_at_budget import RESULTS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", choices=sorted(TASKS), default=list(TASKS))
    parser.add_argument("--store", type=Path, default=RESULTS)
    parser.add_argument("--peers", type=Path, help="CSV of other tools' networks")
    parser.add_argument("--all-peers", action="store_true", help="not only the best of each budget")
    return parser.parse_args()


def sections(task: Task, given: argparse.Namespace) -> Iterator[str]:
    records = Store(given.store).read(task.name)
    for epochs in sorted({key.epochs for key in records}):
        for budget, limits in task.budgets.items():
            chosen = [r for k, r in records.items() if (k.epochs, k.budget) == (epochs, budget)]
            if not chosen:
                continue
            title = (
                f"### {task.name}, {budget}: arena {limits.arena_bytes:,} B, "
                f"flash {limits.flash_bytes:,} B, {epochs} epochs"
            )
            own = epochs == task.settings(None).training.epochs
            peers = peers_within(task, budget, given) if own else []
            yield f"{title}\n\n{markdown(best_first([*rows(chosen), *peers]))}\n"


def peers_within(task: Task, budget: str, given: argparse.Namespace) -> list[Row]:
    """Return the peers' rows within a budget: the best one, or all."""
    if given.peers is None or task.letter is None or budget == "1":
        return []
    found = peer_rows(fitting(read_points(given.peers, task.letter), task.budgets[budget]))
    return found if given.all_peers else found[:1]


def main() -> None:
    given = arguments()
    for name in given.task:
        for section in sections(TASKS[name], given):
            print(section)


if __name__ == "__main__":
    main()
