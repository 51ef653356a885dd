"""Wall time of `fit` with pruning over plain `fit`, side by side in one run.

    python benchmarks/fit_time.py fashion_mnist.npz --epochs 12 --repeats 3 --json out.json

ResNet-8 on the first 20,000 training images of Fashion-MNIST at the 1/4 budget (17,744 B of arena,
29,892 B of flash). The two alternate; the ratio is that of the medians. Tracing is included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import mcuprune
from mcuprune.recipes.models import resnet8

TRAIN_IMAGES, BATCH = 20_000, 64


def seconds_of_fit(x: np.ndarray, y: np.ndarray, epochs: int, callbacks: list[Any]) -> float:
    keras.utils.set_random_seed(0)
    model = resnet8((28, 28, 1), activation=None)
    steps = epochs * -(-len(x) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    started = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="npz with x_train and y_train")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--start-epoch", type=int, default=1)
    parser.add_argument("--end-epoch", type=int, default=4)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with np.load(given.data) as arrays:
        x = arrays["x_train"][:TRAIN_IMAGES, ..., None].astype("float32") / 255
        y = arrays["y_train"][:TRAIN_IMAGES].astype("int32")
    budget = mcuprune.Budget(sram=17_744, flash=29_892)
    plain, pruned = [], []
    for repeat in range(given.repeats):
        plain.append(seconds_of_fit(x, y, given.epochs, []))
        pruning = mcuprune.MCUPruning(budget, given.start_epoch, given.end_epoch)
        pruned.append(seconds_of_fit(x, y, given.epochs, [pruning]))
        print(f"run {repeat}: plain {plain[-1]:.1f} s, with pruning {pruned[-1]:.1f} s", flush=True)
    ratio = statistics.median(pruned) / statistics.median(plain)
    print(f"median over plain fit: {ratio:.3f} ({given.epochs} epochs, {os.cpu_count()} cores)")
    if given.json:
        result = {
            "machine": {"cores": os.cpu_count(), "system": platform.system()},
            "epochs": given.epochs,
            "plain_seconds": plain,
            "pruned_seconds": pruned,
            "ratio_of_medians": ratio,
        }
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
