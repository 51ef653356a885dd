"""The smallest arena (or file, or number of MACs) that keeps the accuracy of the digits.

    python benchmarks/minimize.py --resource sram --json benchmarks/results/minimize.json

The whole network trains as the recipe says; then ``mcuprune.minimize`` looks for the smallest
budget at which a network pruned as the recipe says loses no more than a point of validation
accuracy. The test set is looked at once, at the end.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import keras
from accuracy.measure import measured
from accuracy.phases import train
from accuracy.tasks import TASKS
from accuracy.widths import network, whole_widths

import mcuprune
from mcuprune.recipes.training import accuracy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resource", default="sram", choices=["sram", "flash", "macs"])
    parser.add_argument("--drop", type=float, default=0.01)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    task = TASKS["digits"]
    recipe, data = task.settings(None), task.data(None)

    def trained(callbacks: list[Any]) -> tuple[Any, float]:
        keras.utils.set_random_seed(recipe.training.seed)
        model = network(recipe, data, whole_widths(recipe))
        train(model, recipe, data, recipe.training.epochs, callbacks=callbacks)
        return model, accuracy(model, data.x_val, data.y_val)

    def within(budget: mcuprune.Budget) -> tuple[Any, float]:
        window = recipe.pruning.start_epoch, recipe.pruning.end_epoch
        return trained([mcuprune.MCUPruning(budget, *window)])

    whole, reference = trained([])
    found = mcuprune.minimize(
        whole,
        given.resource,
        within,
        reference_accuracy=reference,
        max_accuracy_drop=given.drop,
        trials=given.trials,
    )
    print(f"validation accuracy of the whole network: {reference:.2%}")
    print(f"| trial | {given.resource} | validation % | keeps |")
    print("| --- | --- | --- | --- |")
    for number, trial in enumerate(found.trials, 1):
        limit = getattr(trial.budget, given.resource)
        keeps = "yes" if trial.keeps else "no"
        print(f"| {number} | {limit:,} | {100 * trial.accuracy:.2f} | {keeps} |")
    limits = task.budgets["1"]
    ends = {"whole": measured(whole, recipe, data, limits)}
    if found.model is not None:
        ends["smallest"] = measured(found.model, recipe, data, limits)
    for name, end in ends.items():
        resources = end["resources"]
        print(
            f"{name}: int8 {end['accuracy']['int8']:.2%} of the test set, arena "
            f"{resources['arena_bytes']:,} B, file {resources['flash_bytes']:,} B, "
            f"{resources['macs']:,} MACs, widths {end['widths']}"
        )
    if given.json:
        trials = [
            {"limit": getattr(t.budget, given.resource), "accuracy": t.accuracy, "keeps": t.keeps}
            for t in found.trials
        ]
        result = {"resource": given.resource, "reference": reference, "trials": trials, **ends}
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
