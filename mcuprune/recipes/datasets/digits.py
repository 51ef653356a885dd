"""Handwritten digits, 8x8 pixels: bundled with scikit-learn, nothing to download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import Dataset

TRAIN_IMAGES = 1197
VALIDATION_IMAGES = 300
# The images hold grey levels from 0 to 16 (sklearn.datasets.load_digits).
GREY_LEVELS = 16.0


def load_digits(path: Path | None = None) -> Dataset:
    """Load the 1,797 images, split 1,197/300/300 by ``RandomState(0).permutation``.

    Args:
        path: Must be None; the images come with scikit-learn.

    Returns:
        Inputs of shape ``(8, 8, 1)`` from 0 to 1, ten classes.

    Raises:
        InputError: A path was given.
    """
    if path is not None:
        raise InputError(
            f"the digits data set comes with scikit-learn and reads no file, found {path}: "
            "leave out --data"
        )
    from sklearn import datasets

    bundled = datasets.load_digits()
    order = np.random.RandomState(0).permutation(len(bundled.target))
    images = (bundled.images[order] / GREY_LEVELS).astype(np.float32)[..., np.newaxis]
    labels = bundled.target[order].astype(np.int64)
    first, second = TRAIN_IMAGES, TRAIN_IMAGES + VALIDATION_IMAGES
    return Dataset(
        x_train=images[:first],
        y_train=labels[:first],
        x_val=images[first:second],
        y_val=labels[first:second],
        x_test=images[second:],
        y_test=labels[second:],
        classes=10,
        input_shape=(8, 8, 1),
    )
