"""What int8 costs in accuracy: quantized after training, and trained with the numbers of int8.

    python benchmarks/quantization.py --task digits --seeds 0 1 2
    python benchmarks/quantization.py --task fashion --data fashion_mnist.npz --epochs 6

Each network is pruned while it trains from scratch, as the task's recipe says, within arena and
flash. The last epochs are trained twice from there, with the same learning rates: in float, and
with the numbers of int8. The former becomes int8 after training (``ptq``), the latter is ``qat``.
tensorflow-model-optimization (extra ``tf-keras``) trains the same epochs from there too, with its
own rounding (``tfmot``) and with 16 clusters per kernel, quantized after training. What is there
is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accuracy.measure import measured
from accuracy.tasks import TASKS, Limits, Task

from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.tf_keras_file import convert_tf_keras
from mcuprune.engines.accuracy import int8_accuracy
from mcuprune.quantization.tfmot import cluster_tfmot, quantize_aware_tfmot, stripped_of_clusters
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import train_pruned, train_quantized
from mcuprune.recipes.training import compile_model, fit

RESULTS = Path(__file__).parent / "results" / "quantization.jsonl"
AWARE_EPOCHS = {"digits": 6, "kws-fsdd": 4, "fashion": 2}
CLUSTERS = 16
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
        of_tfmot = with_tfmot(before.model, recipe, data, limits)
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
        **of_tfmot,
        "flash_bytes": [found["resources"]["flash_bytes"] for found in (ptq, qat)],
        "arena_bytes": [found["resources"]["arena_bytes"] for found in (ptq, qat)],
        "fits": [found["fits"] for found in (ptq, qat)],
        "seconds_in_float": round(seconds, 1),
        "seconds_aware": round(aware.fit_seconds, 1),
    }


def with_tfmot(model: Any, recipe: Recipe, data: Dataset, limits: Limits) -> dict[str, Any]:
    """Train the last epochs with tfmot, rounding and with clusters; return the int8 accuracies."""
    aware = quantize_aware_tfmot(model)
    train_on_tf_keras(aware, recipe, data)
    tflite = convert_tf_keras(aware)
    clustered = cluster_tfmot(model, CLUSTERS)
    train_on_tf_keras(clustered, recipe, data)
    plain = stripped_of_clusters(clustered)
    return {
        "tfmot": int8_accuracy(tflite, data.x_test, data.y_test),
        "tfmot_flash_bytes": len(tflite),
        "clustered": measured(plain, recipe, data, limits)["accuracy"]["int8"],
        "compressed_bytes": [compressed(one, recipe, data) for one in (model, plain)],
    }


def compressed(model: Any, recipe: Recipe, data: Dataset) -> int:
    """Return the length of a network's int8 file after zlib, as for a download over the air."""
    samples = data.x_train[: recipe.deploy.calibration_samples]
    return len(zlib.compress(convert_int8(model, samples), 9))


def train_on_tf_keras(model: Any, recipe: Recipe, data: Dataset) -> None:
    """Train a tf_keras model as :func:`train_on` does."""
    import tf_keras

    training, epochs = recipe.training, recipe.quantization.epochs
    steps = epochs * math.ceil(len(data.x_train) / training.batch_size)
    rate = tf_keras.optimizers.schedules.CosineDecay(recipe.aware_learning_rate, steps)
    loss = tf_keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=training.label_smoothing
    )
    model.compile(tf_keras.optimizers.Adam(rate), loss)
    tf_keras.utils.set_random_seed(training.seed)
    targets = np.eye(data.classes, dtype=np.float32)[data.y_train]
    model.fit(data.x_train, targets, training.batch_size, epochs, verbose=0)


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


# Column of the table and key of the record.
COLUMNS = {
    "float": "float",
    "int8 ptq": "ptq",
    "int8 qat": "qat",
    "int8 tfmot": "tfmot",
    "16 clusters, ptq": "clustered",
}


def rows(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a row of mean percentages for each task, budget and number of epochs."""
    keys = dict.fromkeys((r["task"], r["budget"], r["epochs"]) for r in records)
    for key in keys:
        of_key = [r for r in records if (r["task"], r["budget"], r["epochs"]) == key]
        cells = [*map(str, key), str(len(of_key))]
        for name in COLUMNS.values():
            known = all(name in record for record in of_key)
            cells.append(f"{100 * _mean([r[name] for r in of_key]):.2f}" if known else "-")
        yield f"| {' | '.join(cells)} |"


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def main() -> None:
    given = arguments()
    if given.task:
        run_all(given)
    heading = ["task", "budget", "epochs", "seeds", *COLUMNS]
    print(f"| {' | '.join(heading)} |")
    print(f"|{'---|' * len(heading)}")
    for row in rows(kept()):
        print(row)


if __name__ == "__main__":
    main()
