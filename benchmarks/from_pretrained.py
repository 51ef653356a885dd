"""Makes a trained network fit within a few epochs: our pruning beside a cut at once.

    python benchmarks/from_pretrained.py --task digits --seeds 0 1 2
    python benchmarks/from_pretrained.py --task kws-fsdd --data fsdd.npz --rate 2 4 --epochs 10
    python benchmarks/from_pretrained.py --task digits --method ours --window 0 0.6

The whole network is trained once per seed as the recipe says and kept in ``--folder``; each method
then begins with its weights. ``--window`` is our pruning phase in shares of the epochs, ``--rate``
the learning rate over the recipe's own, chosen by the validation accuracy in the tables. What is
there is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accuracy.few_epochs import SHRINKS
from accuracy.measure import measured
from accuracy.methods import OURS, Job
from accuracy.store import Key, Store
from accuracy.table import Row, best_first, markdown, rows, spread
from accuracy.tasks import TASKS, Task
from accuracy_at_budget import circumstances, overrides, told

from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import train_reference

RESULTS = Path(__file__).parent / "results" / "from_pretrained"
WINDOW = (0.0, 0.4)
HEADINGS = ("task", "budget", "epochs", "method", "rate", "seeds", "int8 %", "validation %", "fits")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=sorted(TASKS), help="only print if absent")
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--folder", type=Path, default=Path("runs/from_pretrained"))
    parser.add_argument("--budget", nargs="+", default=["1/4", "1/8"])
    parser.add_argument("--method", nargs="+", choices=list(SHRINKS), default=list(SHRINKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--rate", type=float, nargs="+", default=[0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--window", type=float, nargs=2, default=WINDOW)
    parser.add_argument(
        "--vary", action="append", default=[], metavar="KEY=VALUE", help="as accuracy_at_budget.py"
    )
    parser.add_argument("--store", type=Path, default=RESULTS)
    return parser.parse_args(given)


def epochs_of(window: tuple[float, float], epochs: int) -> tuple[int, int]:
    """Return first epoch and end of the pruning phase.

    >>> epochs_of((0.2, 0.6), 5)
    (1, 3)
    """
    start, end = (round(share * epochs) for share in window)
    return start, max(end, start + 1)


def label_of(
    method: str, rate: float, window: tuple[float, float] = WINDOW, varied: Sequence[str] = ()
) -> str:
    """Return what a variant is called.

    >>> label_of("ours", 4), label_of("ours, taught", 2, (0.0, 0.6), ["cuts=1"])
    ('ours; 4', 'ours, taught, epochs 0.0 to 0.6, cuts=1; 2')
    """
    if not method.startswith(OURS):
        return f"{method}; {rate:g}"
    phase = [] if tuple(window) == WINDOW else [f"epochs {window[0]} to {window[1]}"]
    return f"{', '.join([method, *phase, *varied])}; {rate:g}"


def recipe_for(
    task: Task,
    seed: int,
    epochs: int,
    window: tuple[float, float],
    rate: float,
    varied: Sequence[str],
) -> Recipe:
    """Return how the trained network is trained on."""
    start, end = epochs_of(window, epochs)
    training = task.settings(None).training
    return task.settings(
        None,
        (
            *overrides(varied),
            f"training.seed={seed}",
            f"training.epochs={epochs}",
            f"training.learning_rate={rate * training.learning_rate}",
            f"pruning.start_epoch={start}",
            f"pruning.end_epoch={end}",
        ),
    )


def reference_of(task: Task, data: Dataset, seed: int, folder: Path) -> Any:
    """Return the whole network, trained as the recipe says."""
    recipe = task.settings(None, (f"training.seed={seed}",))
    return train_reference(recipe, data, folder / task.name / str(seed))


def run(method: str, recipe: Recipe, job: Job, model: Any) -> dict[str, Any]:
    import keras

    keras.utils.set_random_seed(recipe.training.seed)
    trained = SHRINKS[method](model, job)
    found = measured(trained.model, recipe, job.data, job.limits)
    return {**found, "fit_seconds": round(trained.fit_seconds, 1)}


def run_all(given: argparse.Namespace, store: Store) -> None:
    task, where = TASKS[given.task], circumstances()
    window = tuple(given.window)
    data_of = functools.lru_cache(maxsize=1)(functools.partial(task.data, given.data))
    runs = itertools.product(given.seeds, given.epochs, given.budget, given.rate, given.method)
    for seed, epochs, budget, rate, method in runs:
        recipe = recipe_for(task, seed, epochs, window, rate, given.vary)
        decided = {
            "training": recipe.training.model_dump(mode="json", exclude={"seed", "epochs"}),
            "pruning": recipe.pruning.model_dump(mode="json"),
        }
        key = Key(task.name, budget, label_of(method, rate, window, given.vary), seed, epochs)
        if store.has(key, decided):
            continue
        data = data_of(seed)
        reference = reference_of(task, data, seed, given.folder)
        job = Job(recipe, data, task.budgets[budget])
        record = {**dataclasses.asdict(key), **run(method, recipe, job, reference.model)}
        record |= {"reference": reference.accuracy, "settings": decided, **where}
        store.add(record)
        print(told(record), flush=True)


def cells(task: str, budget: str, epochs: int, row: Row) -> tuple[str, ...]:
    method, rate = row.label.rsplit("; ", 1)
    found = (str(len(row.int8)), spread(row.accuracies), spread(row.validation))
    return (task, budget, str(epochs), method, rate, *found, "yes" if row.fits else "NO")


def tables(store: Store) -> str:
    """Return one row per task, budget, epochs and method, at the rate that validated best."""
    parts = defaultdict(list)
    for task in store.tasks():
        for key, record in sorted(store.read(task).items(), key=lambda item: item[0].epochs):
            parts[task, key.budget, key.epochs].append(record)
    lines = []
    for (task, budget, epochs), records in parts.items():
        best: dict[str, Row] = {}
        for row in rows(records):
            method = row.label.rsplit("; ", 1)[0]
            known = best.get(method)
            if known is None or _validated(row) > _validated(known):
                best[method] = row
        lines += [cells(task, budget, epochs, row) for row in best_first(best.values())]
    return markdown(HEADINGS, lines)


def _validated(row: Row) -> float:
    return statistics.mean(row.validation)


def main() -> None:
    given = arguments()
    store = Store(given.store)
    if given.task:
        run_all(given, store)
    print(tables(store))


if __name__ == "__main__":
    main()
