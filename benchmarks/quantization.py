"""What int8 costs in accuracy: quantized after training, and trained with the numbers of int8.

    python benchmarks/quantization.py --task digits --seeds 0 1 2
    python benchmarks/quantization.py --task fashion --data fashion_mnist.npz --epochs 6

Each network is pruned while it trains from scratch, as the task's recipe says, within arena and
flash. ``ptq`` spends all epochs in float and quantizes with calibration inputs; ``qat`` spends the
last of the same number of epochs on training with the numbers of int8. Both are compared with the
float network of all epochs. What is there is not run again.
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

RESULTS = Path(__file__).parent / "results" / "quantization.jsonl"
AWARE_EPOCHS = {"digits": 6, "kws-fsdd": 4, "fashion": 2}
PTQ, QAT = "ptq", "qat"
KEY = ("task", "budget", "seed", "epochs", "method")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=sorted(AWARE_EPOCHS), help="only print if absent")
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--budget", nargs="+", default=["1/4", "1/8"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, help="the recipe's own if absent")
    return parser.parse_args(given)


def recipe_of(task: Task, limits: Limits, method: str, seed: int, epochs: int | None) -> Recipe:
    return task.settings(
        epochs,
        (
            f"training.seed={seed}",
            f"budget.sram={limits.arena_bytes}",
            f"budget.flash={limits.flash_bytes}",
            "budget.macs=null",
            f"quantization.method={method}",
            f"quantization.epochs={AWARE_EPOCHS[task.name]}",
        ),
    )


def run(task: Task, recipe: Recipe, data: Dataset, limits: Limits) -> dict[str, Any]:
    """Train with one method and return what is kept of it."""
    import keras

    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        in_float = train_pruned(recipe, data, Path(folder))
        stages = [in_float]
        if recipe.quantization.method == QAT:
            stages.append(train_quantized(recipe, data, Path(folder), in_float))
    found = measured(stages[-1].model, recipe, data, limits)
    resources = found["resources"]
    return {
        "task": task.name,
        "budget": limits.name,
        "seed": recipe.training.seed,
        "epochs": recipe.training.epochs,
        "method": recipe.quantization.method,
        "float_epochs": recipe.float_epochs,
        "float": in_float.accuracy,
        "fake_quantized": stages[-1].accuracy if len(stages) > 1 else None,
        "int8": found["accuracy"]["int8"],
        "flash_bytes": resources["flash_bytes"],
        "arena_bytes": resources["arena_bytes"],
        "fits": found["fits"],
        "fit_seconds": round(sum(stage.fit_seconds for stage in stages), 1),
    }


def kept() -> list[dict[str, Any]]:
    if not RESULTS.is_file():
        return []
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def run_all(given: argparse.Namespace) -> None:
    task = TASKS[given.task]
    data = task.data(given.data)
    for budget, seed, method in itertools.product(given.budget, given.seeds, (PTQ, QAT)):
        limits = task.budgets[budget]
        recipe = recipe_of(task, limits, method, seed, given.epochs)
        key = (task.name, budget, seed, recipe.training.epochs, method)
        if key in {tuple(r[name] for name in KEY) for r in kept()}:
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
        ptq, qat = ([r for r in of_key if r["method"] == method] for method in (PTQ, QAT))
        if not ptq or not qat:
            continue
        yield Row(
            f"{task} | {budget} | {epochs} | {len(ptq)}",
            [100 * r["float"] for r in ptq],
            [100 * r["int8"] for r in ptq],
            [100 * r["int8"] for r in qat],
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
