"""Other parts of the small data sets: folds, each with a test set of its own, and speakers apart.

Differences that a test set of 300 cannot show are told by several of them.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import PARTS, Dataset
from mcuprune.recipes.datasets.digits import load_digits
from mcuprune.recipes.datasets.fsdd import TEST_TAKES, load_fsdd

# Of the six, the last two by name; nobody listened to them first.
TEST_SPEAKERS = ("theo", "yweweler")
# Takes of each digit and speaker, and how many of them are for validation in the recipe.
TAKES, VALIDATION_TAKES = 50, 2


def digits_fold(path: Path | None, fold: int) -> Dataset:
    """Load the digits with another test set: the images in the loader's order, turned by a part.

    Fold 0 is the loader's own split. The test set of each further fold is the validation set of
    the one before; training has all the others.

    Args:
        path: Must be None, as for the loader.
        fold: 0 to 4.

    Raises:
        InputError: There is no such fold.
    """
    data = load_digits(path)
    turn = fold * len(data.x_test)
    _require_fold(fold, len(data.x_train) // len(data.x_test) + 2)
    images, labels = (
        np.roll(np.concatenate([getattr(data, f"{kind}_{part}") for part in PARTS]), turn, axis=0)
        for kind in "xy"
    )
    bounds = np.cumsum([len(data.x_train), len(data.x_val)])
    x_train, x_val, x_test = np.split(images, bounds)
    y_train, y_val, y_test = np.split(labels, bounds)
    return dataclasses.replace(
        data,
        x_train=x_train,
        y_train=y_train,
        x_val=x_val,
        y_val=y_val,
        x_test=x_test,
        y_test=y_test,
    )


def takes_fold(path: Path | None, fold: int) -> Dataset:
    """Load the spoken digits with other takes for the test: fold 1 tests on takes 5 to 9.

    The next two takes are for validation, all others for training. Fold 0 is the official split.

    Args:
        path: The ``.npz`` of the spoken digits.
        fold: 0 to 9.

    Raises:
        InputError: There is no such fold.
    """
    _require_fold(fold, TAKES // TEST_TAKES)

    def moved(take: int, speaker: str) -> int:  # noqa: ARG001
        return (take - fold * TEST_TAKES) % TAKES

    return _by_take(path, moved, VALIDATION_TAKES)


def speakers_apart(path: Path | None, seed: int = 0) -> Dataset:  # noqa: ARG001
    """Load the spoken digits with :data:`TEST_SPEAKERS` held out for the test (1,000 clips).

    Of the others, the first five takes of each digit are for validation (200 clips), the rest for
    training (1,800).

    Args:
        path: The ``.npz`` of the spoken digits.
        seed: Changes nothing.
    """

    def moved(take: int, speaker: str) -> int:
        return 0 if speaker in TEST_SPEAKERS else take + TEST_TAKES

    return _by_take(path, moved, TEST_TAKES)


def renumbered(name: str, moved: Callable[[int, str], int]) -> str:
    """Return a clip's name with another take.

    >>> renumbered("7_theo_32", lambda take, speaker: take + 5)
    '7_theo_37'
    """
    digit, speaker, take = re.split("_", name)
    return f"{digit}_{speaker}_{moved(int(take), speaker)}"


def _by_take(path: Path | None, moved: Callable[[int, str], int], validation_takes: int) -> Dataset:
    """Load the spoken digits as if they had other takes: the loader tests on the first ones."""
    if path is None or not path.is_file():
        return load_fsdd(path)  # It says what is missing.
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in ("pcm", "offsets", "name")}
    arrays["name"] = np.array([renumbered(str(name), moved) for name in arrays["name"]])
    with tempfile.TemporaryDirectory() as folder:
        renamed = Path(folder) / "other_takes.npz"
        np.savez(renamed, **arrays)
        return load_fsdd(renamed, validation_takes=validation_takes)


def _require_fold(fold: int, folds: int) -> None:
    if fold not in range(folds):
        raise InputError(f"there is no fold {fold}: give --seeds from 0 to {folds - 1}")
