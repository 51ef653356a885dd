"""What gates and prices add to a training step before anything is cut.

    python benchmarks/step_overhead.py --json out.json

The whole network of a recipe trains as ``fit`` trains it, plain and under ``MCUPruning`` within the
recipe's budget and schedule, up to the first cut. Blocks of steps of the two alternate, and each
pair of blocks gives a ratio; the table shows medians. ``waiting`` are the steps before
``start_epoch``, when the gates are in the model and importance is measured, ``moving`` those after
it, when widths are priced and gates move. Inputs are random numbers of the data's shape. Seconds of
processor time, of all threads, hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from accuracy.widths import network, whole_widths
from machine import machine

import mcuprune
from mcuprune.recipes.batches import ShuffledBatches
from mcuprune.recipes.datasets.dataset import PARTS, Dataset
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.training import compile_model

BLOCK = 10  # steps
# Shape of an input and number of training inputs of the recipes' data.
SHAPES = {"fashion": ((28, 28, 1), 18_000), "kws-fsdd": ((49, 10, 1), 2_580)}
TITLES = {"fashion": "ResNet-8, Fashion-MNIST shapes", "kws-fsdd": "DS-CNN, spoken digits' shapes"}


@dataclasses.dataclass(frozen=True)
class Seconds:
    """What a block of steps took."""

    wall: float
    processor: float


@dataclasses.dataclass(frozen=True)
class Pair:
    """A block of plain steps beside one with gates, in the same part of the schedule."""

    phase: str
    plain: Seconds
    gated: Seconds


class Training:
    """A training whose steps are made one block at a time."""

    def __init__(self, recipe: Recipe, data: Dataset, pruning: Any = None) -> None:
        keras.utils.set_random_seed(recipe.training.seed)
        self._model = network(recipe, data, whole_widths(recipe))
        compile_model(self._model, recipe.training, recipe.training.epochs, len(data.x_train))
        targets = np.eye(data.classes, dtype=np.float32)[data.y_train]
        batches = ShuffledBatches(data.x_train, targets, recipe.training.batch_size, 0)
        self._steps = len(batches)
        self._batches = itertools.cycle([batches[i] for i in range(len(batches) - 1)])
        self._callbacks = keras.callbacks.CallbackList(
            [pruning] if pruning else [],
            model=self._model,
            epochs=recipe.training.epochs,
            steps=self._steps,
        )
        self._done = 0
        self._model.make_train_function()
        self._callbacks.on_train_begin()
        self._callbacks.on_epoch_begin(0)

    def block(self) -> Seconds:
        """Make some steps."""
        batches = [next(self._batches) for _ in range(BLOCK)]
        wall, processor = time.perf_counter(), time.process_time()
        for batch in batches:
            logs = self._model.train_function(iter([batch]))
            # An epoch that never ends: the callback counts batches.
            self._callbacks.on_train_batch_end(self._done, logs)
            self._done += 1
        return Seconds(time.perf_counter() - wall, time.process_time() - processor)

    def skip(self, steps: int) -> None:
        """Let the schedule go on as if steps had been made."""
        if steps:
            self._done += steps
            self._callbacks.on_train_batch_end(self._done - 1, {})


def random_data(recipe_name: str) -> Dataset:
    shape, count = SHAPES[recipe_name]
    random = np.random.default_rng(0)
    parts = {}
    for part in PARTS:
        parts[f"x_{part}"] = random.normal(size=(count, *shape)).astype(np.float32)
        parts[f"y_{part}"] = random.integers(0, 10, count)
    return Dataset(**parts, classes=10, input_shape=shape)


def pairs_of(recipe: Recipe, data: Dataset, every: int) -> list[Pair]:
    """Train until the first cut is due; return all pairs of blocks but the first, which traces.

    Args:
        recipe: Whose network, budget and schedule.
        data: Inputs.
        every: Of so many blocks one is trained and timed; the schedule passes over the others.
    """
    keras.backend.clear_session()
    options = {"cuts": 3, **recipe.pruning.options}
    start, end = recipe.pruning.start_epoch, recipe.pruning.end_epoch
    pruning = mcuprune.MCUPruning(recipe.budget.budget(), start, end, **options)
    plain, gated = Training(recipe, data), Training(recipe, data, pruning)
    per_epoch = math.ceil(len(data.x_train) / recipe.training.batch_size)
    # From here on the gates of what the first cut removes close; the cut itself is not reached.
    first_cut = per_epoch * (start + (end - start) / options["cuts"])
    found = []
    for number in range(0, int(first_cut) // BLOCK, every):
        phase = "waiting" if (number + 1) * BLOCK <= start * per_epoch else "moving"
        blocks: list[Callable[[], Seconds]] = [plain.block, gated.block]
        if (number // every) % 2:
            gated_seconds, plain_seconds = blocks[1](), blocks[0]()
        else:
            plain_seconds, gated_seconds = blocks[0](), blocks[1]()
        if number:
            found.append(Pair(phase, plain_seconds, gated_seconds))
        gated.skip((every - 1) * BLOCK)
    return found


@dataclasses.dataclass(frozen=True)
class Row:
    """Medians over the pairs of one phase."""

    task: str
    phase: str
    pairs: int
    plain_ms: float
    processor_ratio: float
    wall_ratio: float

    def __str__(self) -> str:
        return (
            f"| {TITLES[self.task]} | {self.phase} | {self.pairs} | {self.plain_ms:.2f} "
            f"| {self.processor_ratio:.3f} | {self.wall_ratio:.3f} |"
        )


def row(task: str, phase: str, pairs: Sequence[Pair]) -> Row:
    of_phase = [pair for pair in pairs if pair.phase == phase]

    def ratio(kind: str) -> float:
        return statistics.median(getattr(p.gated, kind) / getattr(p.plain, kind) for p in of_phase)

    plain = statistics.median(pair.plain.processor for pair in of_phase)
    return Row(task, phase, len(of_phase), 1000 * plain / BLOCK, ratio("processor"), ratio("wall"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", nargs="+", default=sorted(SHAPES), choices=sorted(SHAPES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, help="time one of so many blocks")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    print("| network | gates | pairs | plain step, ms | processor time | wall time |")
    print("| --- | --- | --- | --- | --- | --- |")
    for task in given.task:
        recipe, data = load_recipe(task), random_data(task)
        pairs = [pair for _ in range(given.repeats) for pair in pairs_of(recipe, data, given.every)]
        for phase in dict.fromkeys(pair.phase for pair in pairs):
            rows.append(row(task, phase, pairs))
            print(rows[-1], flush=True)
    if given.json:
        result = {"machine": machine(), "steps_per_block": BLOCK, "every": given.every}
        result["rows"] = [dataclasses.asdict(one) for one in rows]
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
