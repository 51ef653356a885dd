"""What int8 costs in accuracy: quantized after training, and trained with the numbers of int8.

    python benchmarks/quantization.py --task digits --seeds 0 1 2
    python benchmarks/quantization.py --task fashion --data fashion_mnist.npz --epochs 6

Each network is pruned while it trains from scratch, as the task's recipe says, within arena and
flash. The last epochs are trained twice from there, with the same learning rates: in float, and
with the numbers of int8. The former becomes int8 after training (``ptq``), the latter is ``qat``.
What is there is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accuracy.measure import measured
from accuracy.tasks import TASKS, Limits, Task

from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import train_pruned, train_quantized
from mcuprune.recipes.training import compile_model, fit

RESULTS = Path(__file__).parent / "results" / "quantization.jsonl"
AWARE_EPOCHS = {"digits": 6, "kws-fsdd": 4, "fashion": 2}
KEY = ("task", "budget", "seed", "epochs")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=sorted(AWARE_EPOCHS), help="only print if absent")
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--budget", nargs="+", default=["1/4", "1/8"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, help="the recipe's own if absent")
    return parser.parse_args(given)


def recipe_of(task: Task, limits: Limits, seed: int, epochs: int | None) -> Recipe:
    return task.settings(
        epochs,
        (
            f"training.seed={seed}",
            f"budget.sram={limits.arena_bytes}",
            f"budget.flash={limits.flash_bytes}",
            "budget.macs=null",
            "quantization.method=qat",
            f"quantization.epochs={AWARE_EPOCHS[task.name]}",
        ),
    )


def run(task: Task, recipe: Recipe, data: Dataset, limits: Limits) -> dict[str, Any]:
    """Train a network to both ends and return what is kept of it."""
    import keras

    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        before = train_pruned(recipe, data, Path(folder))
        aware = train_quantized(recipe, data, Path(folder), before)
        seconds = train_on(before.model, recipe, data, Path(folder))
    ptq, qat = (measured(model, recipe, data, limits) for model in (before.model, aware.model))
    return {
        "task": task.name,
        "budget": limits.name,
        "seed": recipe.training.seed,
        "epochs": recipe.training.epochs,
        "aware_epochs": recipe.quantization.epochs,
        "float_before": before.accuracy,
        "float": ptq["accuracy"]["float"],
        "ptq": ptq["accuracy"]["int8"],
        "qat": qat["accuracy"]["int8"],
        "fake_quantized": aware.accuracy,
        "flash_bytes": [found["resources"]["flash_bytes"] for found in (ptq, qat)],
        "arena_bytes": [found["resources"]["arena_bytes"] for found in (ptq, qat)],
        "fits": [found["fits"] for found in (ptq, qat)],
        "seconds_in_float": round(seconds, 1),
        "seconds_aware": round(aware.fit_seconds, 1),
    }


def train_on(model: Any, recipe: Recipe, data: Dataset, folder: Path) -> float:
    """Train the last epochs in float; return the wall seconds of ``fit``."""
    epochs = recipe.quantization.epochs
    training = recipe.training.model_copy(update={"learning_rate": recipe.aware_learning_rate})
    compile_model(model, training, epochs, len(data.x_train))
    return fit(model, data, training, epochs, "float", folder).seconds


def kept() -> list[dict[str, Any]]:
    if not RESULTS.is_file():
        return []
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def run_all(given: argparse.Namespace) -> None:
    task = TASKS[given.task]
    data = task.data(given.data)
    for budget, seed in itertools.product(given.budget, given.seeds):
        limits = task.budgets[budget]
        recipe = recipe_of(task, limits, seed, given.epochs)
        key = (task.name, budget, seed, recipe.training.epochs)
        if key in {tuple(record[name] for name in KEY) for record in kept()}:
            continue
        record = run(task, recipe, data, limits)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


@dataclasses.dataclass(frozen=True)
class Row:
    """Accuracies of one task, budget and number of epochs, in percent."""

    title: str
    float_percent: list[float]
    ptq_percent: list[float]
    qat_percent: list[float]

    def __str__(self) -> str:
        columns = (self.float_percent, self.ptq_percent, self.qat_percent)
        losses = (_mean(self.float_percent) - _mean(int8) for int8 in columns[1:])
        numbers = [f"{_mean(column):.2f}" for column in columns]
        return f"| {self.title} | {' | '.join([*numbers, *(f'{loss:+.2f}' for loss in losses)])} |"


def rows(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    keys = dict.fromkeys((r["task"], r["budget"], r["epochs"]) for r in records)
    for task, budget, epochs in keys:
        of_key = [
            r for r in records if (r["task"], r["budget"], r["epochs"]) == (task, budget, epochs)
        ]
        yield Row(
            f"{task} | {budget} | {epochs} | {len(of_key)}",
            *([100 * r[name] for r in of_key] for name in ("float", "ptq", "qat")),
        )


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def main() -> None:
    given = arguments()
    if given.task:
        run_all(given)
    print("| task | budget | epochs | seeds | float | int8 ptq | int8 qat | lost ptq | lost qat |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows(kept()):
        print(row)


if __name__ == "__main__":
    main()
