"""Digits within arena, flash, MACs and time of a board at once, as the recipe trains them.

    python benchmarks/several_limits.py --json benchmarks/results/several_limits.json

The limits are counted for the board: TFLM's arena with CMSIS-NN and 32-bit pointers, flash with the
runtime's code, predicted latency. int8 accuracy is that of the deployed file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import keras
from accuracy.phases import train
from accuracy.tasks import TASKS
from accuracy.widths import network, whole_widths

import mcuprune

BOARD = "nucleo-l4r5zi"
BUDGET = mcuprune.Budget(sram=3_250, flash=84_000, macs="60k", latency="3ms", board=BOARD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    task = TASKS["digits"]
    recipe, data = task.settings(None, (f"training.seed={given.seed}",)), task.data(None)
    keras.utils.set_random_seed(given.seed)
    model = network(recipe, data, whole_widths(recipe))
    whole = mcuprune.estimate(model, board=BOARD)
    pruning = mcuprune.MCUPruning(BUDGET, recipe.pruning.start_epoch, recipe.pruning.end_epoch)
    train(model, recipe, data, recipe.training.epochs, callbacks=[pruning])
    with tempfile.TemporaryDirectory() as folder:
        deployment = mcuprune.deploy(
            model,
            data.x_train[: recipe.deploy.calibration_samples],
            Path(folder) / "digits",
            budget=BUDGET,
            test=(data.x_test, data.y_test),
        )
    check = deployment.verdict.to_json()
    before = {
        "sram": whole.peak_sram_bytes,
        "flash": whole.flash_bytes + whole.runtime_code_bytes,
        "macs": whole.macs,
        "latency": round(1000 * whole.latency_ms),
    }
    print("| resource | whole network | pruned | limit |")
    print("| --- | --- | --- | --- |")
    for name, used in before.items():
        row = check[name]
        print(f"| {name}, {row['unit']} | {used:,} | {row['required']:,} | {row['available']:,} |")
    print(f"fits: {check['fits']}; int8 accuracy {deployment.accuracy.int8:.2%}, seed {given.seed}")
    if given.json:
        result = {
            "board": BOARD,
            "seed": given.seed,
            "whole": before,
            "check": check,
            "int8": deployment.accuracy.int8,
            "widths": pruning.pruner.groups.widths(),
        }
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
