"""Trains every method within the same budgets and tells what the int8 files reach.

    python benchmarks/accuracy_at_budget.py --task digits --budget 1/4 1/8 --seeds 0 1 2
    python benchmarks/accuracy_at_budget.py --task fashion --data fashion_mnist.npz \
        --method ours uniform --epochs 30 --seeds 0
    python benchmarks/accuracy_at_budget.py --task digits --method ours \
        --vary cuts=6 --vary training.learning_rate=0.002 --label "ours, six cuts"

What is there is not run again. ``accuracy_table.py`` prints the results.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accuracy.ablations import ALL, PRUNING_WHILE_TRAINING, WIDTHS_OF_OURS
from accuracy.measure import measured
from accuracy.methods import CONTINUE, METHODS, OURS, REWIND, TAUGHT, TRAINED_TWICE, Job
from accuracy.store import Key, OtherSettingsError, Store
from accuracy.tasks import TASKS, Task
from machine import gpu_names, machine

from mcuprune.errors import InputError, McupruneError
from mcuprune.pruning.distillation import SHARE, TEMPERATURE
from mcuprune.recipes.schema import Recipe

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "accuracy_at_budget"
PACKAGES = ("tensorflow", "keras", "numpy", "ai-edge-litert", "tflite-micro")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", required=True, choices=sorted(TASKS))
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--budget", nargs="+", help="all but the whole network's own if absent")
    parser.add_argument("--method", nargs="+", default=list(METHODS), choices=list(ALL))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, help="the recipe's own if absent")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an argument of MCUPruning, or a recipe's key with a dot, such as pruning.end_epoch",
    )
    parser.add_argument("--pretrain-share", type=float, default=0.5, help="of the epochs")
    parser.add_argument("--after-cut", choices=[CONTINUE, REWIND], default=REWIND)
    parser.add_argument("--label", help="what a variant of a method is called in the results")
    parser.add_argument("--again", action="store_true", help="also what is there")
    parser.add_argument("--store", type=Path, default=RESULTS)
    found = parser.parse_args(given)
    if found.label and len(found.method) > 1:
        parser.error("--label names a variant of one method: give one --method")
    if found.vary and not found.label:
        parser.error("--vary makes a variant: give a --label for it")
    if found.method != [OURS] and not all(map(_is_of_the_recipe, found.vary)):
        parser.error("an argument of MCUPruning varies our method alone: give --method ours")
    found.budget = found.budget or [name for name in TASKS[found.task].budgets if name != "1"]
    unknown = [name for name in found.budget if name not in TASKS[found.task].budgets]
    if unknown:
        parser.error(f"no budget {unknown[0]}: {', '.join(TASKS[found.task].budgets)}")
    return found


def overrides(given: Sequence[str]) -> tuple[str, ...]:
    """Return ``--vary`` as a recipe's overrides.

    >>> overrides(["cuts=6", "start_epoch=0", "training.learning_rate=0.01"])
    ('pruning.options.cuts=6', 'pruning.start_epoch=0', 'training.learning_rate=0.01')
    """
    own = ("start_epoch", "end_epoch")

    def placed(text: str) -> str:
        name = text.split("=")[0]
        if _is_of_the_recipe(text):
            return text
        return f"pruning.{text}" if name in own else f"pruning.options.{text}"

    return tuple(placed(text) for text in given)


def _is_of_the_recipe(varied: str) -> bool:
    return "." in varied.split("=")[0]


def recipe_of(task: Task, given: argparse.Namespace, seed: int) -> Recipe:
    return task.settings(given.epochs, (*overrides(given.vary), f"training.seed={seed}"))


def settings(recipe: Recipe, method: str, given: argparse.Namespace) -> dict[str, Any]:
    """Return all that decides a run beside its key."""
    training = recipe.training.model_dump(mode="json", exclude={"seed", "epochs"})
    found = {"method": method, "model": recipe.model.model_dump(mode="json"), **training}
    if method in PRUNING_WHILE_TRAINING:
        found["pruning"] = recipe.pruning.model_dump(mode="json")
    if method in TAUGHT:
        found["distillation"] = {"share": SHARE, "temperature": TEMPERATURE}
    if method in TRAINED_TWICE:
        found |= {"pretrain_share": given.pretrain_share, "after_cut": given.after_cut}
    return found


def run(job: Job, method: str) -> dict[str, Any]:
    """Train, convert and count one network; return what is kept of it."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(job.recipe.training.seed)
    trained = ALL[method](job)
    found = measured(trained.model, job.recipe, job.data, job.limits)
    return {**found, "fit_seconds": round(trained.fit_seconds, 2)}


def circumstances() -> dict[str, Any]:
    """Return where and with what the runs are made."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "mcuprune", "recipes", "benchmarks")),
        "machine": {
            **machine(*PACKAGES),
            "gpus": gpu_names(),
            "threads": os.environ.get("TF_NUM_INTRAOP_THREADS", "all"),
        },
    }


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=CHECKOUT, check=False, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def told(record: dict[str, Any]) -> str:
    accuracy, resources = record["accuracy"], record["resources"]
    return (
        f"{record['task']} {record['budget']} {record['label']} seed {record['seed']}: "
        f"float {100 * accuracy['float']:.2f}, int8 {100 * accuracy['int8']:.2f}, "
        f"arena {resources['arena_bytes']:,} B, flash {resources['flash_bytes']:,} B, "
        f"{resources['macs']:,} MACs, fit {record['fit_seconds']:.0f} s"
        + ("" if record["fits"] else ", EXCEEDS THE BUDGET")
    )


def widths_found(store: Store, key: Key) -> dict[str, int]:
    """Return the widths that our method found for the same task, budget, seed and epochs.

    Raises:
        InputError: It has not been run.
    """
    ours = store.read(key.task).get(dataclasses.replace(key, label=OURS))
    if ours is None:
        raise InputError(f"{key.label} needs a run of {OURS!r} at {key.budget}, seed {key.seed}")
    return ours["widths"]


def run_all(given: argparse.Namespace) -> None:
    """Run what is not there yet.

    Raises:
        OtherSettingsError: A label is there with other settings.
        InputError: A method needs the result of another.
    """
    task, store, where = TASKS[given.task], Store(given.store), circumstances()
    data_of = functools.lru_cache(maxsize=1)(functools.partial(task.data, given.data))
    for seed, budget, method in itertools.product(given.seeds, given.budget, given.method):
        recipe = recipe_of(task, given, seed)
        key = Key(task.name, budget, given.label or method, seed, recipe.training.epochs)
        decided = settings(recipe, method, given)
        if not given.again and store.has(key, decided):
            continue
        limits = task.budgets[budget]
        shape = widths_found(store, key) if method == WIDTHS_OF_OURS else {}
        job = Job(recipe, data_of(seed), limits, given.pretrain_share, given.after_cut, shape)
        found = run(job, method)
        record = {**dataclasses.asdict(key), **found, "settings": decided, **where}
        record["limits"] = dataclasses.asdict(limits)
        record["finished"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        store.add(record)
        print(told(record), flush=True)


def main() -> None:
    try:
        run_all(arguments())
    except (McupruneError, OtherSettingsError) as error:
        sys.exit(f"accuracy_at_budget: {error}")


if __name__ == "__main__":
    main()
