"""Training as the recipes do it, in one stretch or in two."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcuprune.recipes.datasets.dataset import Dataset, Floats
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.training import compile_model, fit


def train(
    model: Any,
    recipe: Recipe,
    data: Dataset,
    epochs: int,
    *,
    after: int = 0,
    span: int | None = None,
    callbacks: Sequence[Any] = (),
    targets: Floats | None = None,
) -> float:
    """Train a model with the recipe's optimizer, loss and schedule, in place.

    Args:
        model: Its compilation, if any, is replaced.
        recipe: How to train.
        data: What to train on.
        epochs: How many epochs.
        after: At which epoch of the schedule to start.
        span: Epochs that the schedule spans; ``epochs`` by default.
        callbacks: For Keras.
        targets: What to learn for each training input, shape ``(n, classes)``; its label if None.

    Returns:
        Wall seconds of ``fit``.
    """
    compile_model(model, recipe.training, span or epochs, len(data.x_train))
    model.optimizer.iterations.assign(
        after * math.ceil(len(data.x_train) / recipe.training.batch_size)
    )
    with tempfile.TemporaryDirectory() as folder:
        title = f"{model.name}, epochs {after} to {after + epochs}"
        fitted = fit(
            model, data, recipe.training, epochs, title, Path(folder), callbacks, targets=targets
        )
    return fitted.seconds
