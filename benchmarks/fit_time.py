"""Time of `fit` with pruning over plain `fit`, side by side in one run.

    python benchmarks/fit_time.py --task fashion --data fashion_mnist.npz --json out.json

The whole network of a task of ``accuracy_at_budget.py`` and its pruning at the 1/4 budget, as the
recipe says. The two alternate; ratios are those of the medians. Tracing is included. Seconds of
processor time, of all threads, hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import keras
from accuracy.phases import train
from accuracy.tasks import TASKS
from accuracy.widths import network, whole_widths
from machine import gpu_names, machine

import mcuprune
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import Recipe

BUDGET = "1/4"


@dataclasses.dataclass(frozen=True)
class Seconds:
    """What one ``fit`` took."""

    wall: float
    processor: float


def seconds_of_fit(recipe: Recipe, data: Dataset, callbacks: list[Any]) -> Seconds:
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.training.seed)
    model = network(recipe, data, whole_widths(recipe))
    before = time.process_time()
    wall = train(model, recipe, data, recipe.training.epochs, callbacks=callbacks)
    return Seconds(wall, time.process_time() - before)


def ratio(pruned: list[Seconds], plain: list[Seconds], kind: str) -> float:
    """Return the median of the pruned over that of the plain runs."""
    return statistics.median(getattr(one, kind) for one in pruned) / statistics.median(
        getattr(one, kind) for one in plain
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="fashion", choices=sorted(TASKS))
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--epochs", type=int, help="the recipe's own if absent")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    task = TASKS[given.task]
    data, recipe = task.data(given.data), task.settings(given.epochs, ())
    limits = task.budgets[BUDGET]
    budget = mcuprune.Budget(sram=limits.arena_bytes, flash=limits.flash_bytes)
    plain: list[Seconds] = []
    pruned: list[Seconds] = []
    for repeat in range(given.repeats):
        plain.append(seconds_of_fit(recipe, data, []))
        pruning = mcuprune.MCUPruning(
            budget,
            recipe.pruning.start_epoch,
            recipe.pruning.end_epoch,
            **recipe.pruning.options,
        )
        pruned.append(seconds_of_fit(recipe, data, [pruning]))
        print(f"run {repeat}: plain {plain[-1]}, with pruning {pruned[-1]}", flush=True)
    ratios = {kind: ratio(pruned, plain, kind) for kind in ("wall", "processor")}
    print(
        f"{given.task}, {recipe.training.epochs} epochs, median over plain fit: wall "
        f"{ratios['wall']:.3f}, processor {ratios['processor']:.3f} ({os.cpu_count()} cores)"
    )
    if given.json:
        result = {
            "machine": {**machine(), "gpus": gpu_names()},
            "task": given.task,
            "budget": BUDGET,
            "epochs": recipe.training.epochs,
            "plain": [dataclasses.asdict(one) for one in plain],
            "pruned": [dataclasses.asdict(one) for one in pruned],
            "ratio_of_medians": ratios,
        }
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
