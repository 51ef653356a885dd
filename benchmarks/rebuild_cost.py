"""Cost of one shrink in the middle of training, against the plain model's first step.

    python benchmarks/rebuild_cost.py --repeats 3 --json benchmarks/results/rebuild_cost.json

MobileNetV2 (1.0, 96x96) with Adam, batches of 16 random images. A shrink is everything between
two training steps (search of widths, cut, optimizer slots) and the next step with its new trace.
The plain model's first step, too, holds the trace and the making of the optimizer's slots. The two
alternate; the ratio is that of the medians. A small model is trained first, so that neither pays
for TensorFlow's start.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from machine import machine

import mcuprune

BATCH, STEPS_BEFORE = 16, 6


def mobilenet_v2() -> Any:
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=10)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, 96, 96, 3)).astype("float32")
    return images, rng.integers(0, 10, BATCH)


def seconds_of_first_step() -> float:
    model, (x, y) = mobilenet_v2(), batch()
    started = time.perf_counter()
    model.train_on_batch(x, y)
    return time.perf_counter() - started


def seconds_of_shrink(budget: mcuprune.Budget) -> dict[str, float]:
    """Return the seconds of the first of three cuts on the way to a budget."""
    model, (x, y) = mobilenet_v2(), batch()
    pruner = mcuprune.Pruner(model, budget, end_step=3 * STEPS_BEFORE, cuts=3)
    for _ in range(STEPS_BEFORE - 1):
        model.train_on_batch(x, y)
        pruner.step()
    model.train_on_batch(x, y)
    before = model.count_params()
    started = time.perf_counter()
    if not pruner.step():
        raise RuntimeError("no cut was due: the schedule has changed")
    cut = time.perf_counter()
    model.make_train_function(force=True)
    model.train_on_batch(x, y)
    ended = time.perf_counter()
    print(f"  {before:,} -> {model.count_params():,} parameters", flush=True)
    return {"cut": cut - started, "next_step": ended - cut, "all": ended - started}


def half_of_everything() -> mcuprune.Budget:
    needed = mcuprune.estimate(mobilenet_v2())
    return mcuprune.Budget(sram=needed.peak_sram_bytes // 2, flash=needed.flash_bytes // 2)


def warm_up() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    model.compile("adam", "mse")
    model.train_on_batch(np.zeros((2, 8, 8, 1)), np.zeros((2, 6, 6, 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    budget = half_of_everything()
    warm_up()
    plain, shrinks = [], []
    for repeat in range(given.repeats):
        plain.append(seconds_of_first_step())
        shrinks.append(seconds_of_shrink(budget))
        last = shrinks[-1]
        print(
            f"run {repeat}: first step {plain[-1]:.2f} s; shrink {last['all']:.2f} s "
            f"(cut {last['cut']:.2f} s, next step {last['next_step']:.2f} s)",
            flush=True,
        )
    ratio = statistics.median(s["all"] for s in shrinks) / statistics.median(plain)
    print(f"median shrink over median first step: {ratio:.2f} ({os.cpu_count()} cores)")
    if given.json:
        result = {
            "machine": machine(),
            "first_step_seconds": plain,
            "shrink_seconds": shrinks,
            "ratio_of_medians": ratio,
        }
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
