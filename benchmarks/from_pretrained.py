"""Accuracy of a trained network pruned within a few epochs, beside pruning from scratch.

    python benchmarks/from_pretrained.py --task kws-fsdd --data fsdd.npz --epochs 5 10
    python benchmarks/from_pretrained.py --task digits --window 0 0.5 --learning-rate 0.002

The reference is trained once as the recipe says and kept in ``--folder``; each row then starts from
its weights. ``--window`` is the pruning phase in shares of the epochs. int8 accuracy is that of the
exported file as ``deploy`` ships it; choose settings by the validation accuracy. What is there is
not run again.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

from accuracy.measure import measured
from accuracy.tasks import TASKS, Limits, Task

from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.stages import train_pruned, train_reference

RESULTS = Path(__file__).parent / "results" / "from_pretrained.jsonl"
KEY = ("task", "budget", "seed", "epochs", "window", "learning_rate")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=sorted(TASKS), help="only print if absent")
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--folder", type=Path, default=Path("runs/from_pretrained"))
    parser.add_argument("--budget", nargs="+", default=["1/4", "1/8"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--window", type=float, nargs=2, default=[0.0, 0.6])
    parser.add_argument("--learning-rate", type=float, help="the recipe's own if absent")
    return parser.parse_args()


def epochs_of(window: list[float], epochs: int) -> tuple[int, int]:
    """Return first epoch and end of the pruning phase.

    >>> epochs_of([0.2, 0.6], 5)
    (1, 3)
    """
    start, end = (round(share * epochs) for share in window)
    return start, max(end, start + 1)


def run(task: Task, limits: Limits, data: Dataset, key: dict[str, Any], folder: Path) -> Any:
    start, end = epochs_of(key["window"], key["epochs"])
    budget = [f"budget.sram={limits.arena_bytes}", f"budget.flash={limits.flash_bytes}"]
    seed = f"training.seed={key['seed']}"
    recipe = task.settings(
        None,
        (
            *budget,
            "budget.macs=null",
            seed,
            "pruning.start_from=reference",
            f"training.epochs={key['epochs']}",
            f"pruning.start_epoch={start}",
            f"pruning.end_epoch={end}",
            f"pruning.learning_rate={key['learning_rate']}",
        ),
    )
    reference = train_reference(recipe, data, folder)
    pruned = train_pruned(recipe, data, folder)
    found = measured(pruned.model, recipe, data, limits)
    return {
        **key,
        "reference": reference.accuracy,
        "fit_seconds": round(pruned.fit_seconds, 1),
        **{name: found[name] for name in ("accuracy", "resources", "widths", "fits")},
    }


def kept() -> list[dict[str, Any]]:
    if not RESULTS.is_file():
        return []
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def run_all(given: argparse.Namespace) -> None:
    task = TASKS[given.task]
    data, own_rate = task.data(given.data), task.settings(None).training.learning_rate
    for seed, budget, epochs in itertools.product(given.seeds, given.budget, given.epochs):
        rate = given.learning_rate or own_rate
        key = dict(zip(KEY, (task.name, budget, seed, epochs, given.window, rate), strict=True))
        if any(all(record[name] == key[name] for name in KEY) for record in kept()):
            continue
        folder = given.folder / task.name / str(seed)
        record = run(task, task.budgets[budget], data, key, folder)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(shown(record), flush=True)


def shown(record: dict[str, Any]) -> str:
    accuracy, (start, end) = record["accuracy"], epochs_of(record["window"], record["epochs"])
    cells = [record["task"], record["budget"], record["epochs"], f"{start} to {end}"]
    cells += [record["learning_rate"], record["seed"], f"{100 * record['reference']:.2f}"]
    cells += [f"{100 * accuracy[name]:.2f}" for name in ("float", "int8", "float_validation")]
    return f"| {' | '.join(map(str, [*cells, 'yes' if record['fits'] else 'no']))} |"


def main() -> None:
    given = arguments()
    print(
        "| task | budget | epochs | pruning | learning rate | seed | reference | float | int8 "
        "| validation | fits |"
    )
    print(f"|{' --- |' * 11}")
    for record in kept():
        print(shown(record))
    if given.task:
        run_all(given)


if __name__ == "__main__":
    main()
