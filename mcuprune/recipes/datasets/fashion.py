"""Fashion-MNIST: 28x28 grey images of ten kinds of clothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.archive import read_npz
from mcuprune.recipes.datasets.dataset import Dataset, check_labelled

SIDE = 28
# The README of github.com/zalandoresearch/fashion-mnist, "Labels".
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CLASSES = len(CLASS_NAMES)
FILE = "fashion_mnist.npz"
WHERE = (
    f"Pass --data {FILE}, or the folder that holds it, with x_train, y_train, x_test, y_test (the "
    "images of github.com/zalandoresearch/fashion-mnist), or leave out --data to let Keras "
    "download them"
)
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def load_fashion(
    path: Path | None = None,
    train_images: int | None = None,
    validation_images: int = 2000,
) -> Dataset:
    """Load Fashion-MNIST.

    Training uses the first ``train_images`` of the training file, validation the
    ``validation_images`` that follow; the test set is the whole test file.

    Args:
        path: An ``.npz`` with ``x_train``, ``y_train``, ``x_test``, ``y_test`` (images uint8
            ``(n, 28, 28)``), or the folder that holds it as ``fashion_mnist.npz``; None lets
            Keras download the data.
        train_images: How many images to train on; None takes all but the validation images.
        validation_images: How many training images to hold out.

    Returns:
        Inputs of shape ``(28, 28, 1)`` from 0 to 1, ten classes.

    Raises:
        InputError: The data is missing, malformed, or too small for the split.
    """
    x, y, x_test, y_test = _download() if path is None else _read(path)
    available = len(x) - validation_images
    wanted = available if train_images is None else train_images
    if wanted < 1 or validation_images < 1 or wanted > available:
        raise InputError(
            f"cannot split {len(x)} training images into {wanted} to train and "
            f"{validation_images} to validate: lower data.options.train_images or "
            "data.options.validation_images, both at least 1"
        )
    bound = wanted + validation_images
    return Dataset(
        x_train=_scaled(x[:wanted]),
        y_train=y[:wanted].astype(np.int64),
        x_val=_scaled(x[wanted:bound]),
        y_val=y[wanted:bound].astype(np.int64),
        x_test=_scaled(x_test),
        y_test=y_test.astype(np.int64),
        classes=CLASSES,
        input_shape=(SIDE, SIDE, 1),
        class_names=CLASS_NAMES,
    )


def _scaled(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return (images / 255.0).astype(np.float32)[..., np.newaxis]


def _read(path: Path) -> tuple[npt.NDArray[Any], ...]:
    if path.is_dir():
        path = path / FILE
    if not path.is_file():
        raise InputError(f"{path} does not exist. {WHERE}")
    arrays = read_npz(path, _KEYS, WHERE)
    for part in ("train", "test"):
        images = arrays[f"x_{part}"]
        if images.dtype != np.uint8:
            raise InputError(
                f"{path}: the {part} images are {images.dtype}, expected uint8 from 0 to 255. "
                f"{WHERE}"
            )
        check_labelled(images, arrays[f"y_{part}"], part, (SIDE, SIDE), CLASSES)
    return tuple(arrays[key] for key in _KEYS)


def _download() -> tuple[npt.NDArray[Any], ...]:
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # keras.utils.get_file raises a bare Exception when offline.
        raise InputError(f"Keras could not download Fashion-MNIST ({error}). {WHERE}") from error
    return x, y, x_test, y_test
