"""Other parts of the small data sets: folds, each with a test set of its own, and speakers apart.

Differences that a test set of 300 cannot show are told by several of them.
"""

from __future__ import annotations

import dataclasses
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
# Of each digit and speaker.
TAKES = 50


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
    bounds = np.cumsum([len(data.x_train), len(data.x_val)])
    _require_fold(fold, (bounds[-1] + len(data.x_test)) // len(data.x_test))
    found = {}
    for kind in "xy":
        whole = np.concatenate([getattr(data, f"{kind}_{part}") for part in PARTS])
        turned = np.split(np.roll(whole, fold * len(data.x_test), axis=0), bounds)
        found |= {f"{kind}_{part}": piece for part, piece in zip(PARTS, turned, strict=True)}
    return dataclasses.replace(data, **found)


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

    return _by_take(path, lambda take, _: (take - fold * TEST_TAKES) % TAKES)


def speakers_apart(path: Path | None) -> Dataset:
    """Load the spoken digits with :data:`TEST_SPEAKERS` held out for the test (1,000 clips).

    Of the others, the first five takes of each digit are for validation (200 clips), the rest for
    training (1,800).

    Args:
        path: The ``.npz`` of the spoken digits.
    """
    return _by_take(path, _apart, validation_takes=TEST_TAKES)


def _apart(take: int, speaker: str) -> int:
    """Return a take of the part that a speaker belongs to."""
    return 0 if speaker in TEST_SPEAKERS else take + TEST_TAKES


def renumbered(name: str, moved: Callable[[int, str], int]) -> str:
    """Return a clip's name with another take.

    >>> renumbered("7_theo_32", _apart), renumbered("7_jackson_32", _apart)
    ('7_theo_0', '7_jackson_37')
    """
    digit, speaker, take = name.split("_")
    return f"{digit}_{speaker}_{moved(int(take), speaker)}"


def _by_take(path: Path | None, moved: Callable[[int, str], int], **options: int) -> Dataset:
    """Load the spoken digits as if they had other takes: the loader tests on the first ones."""
    if path is None or not path.is_file():
        return load_fsdd(path)  # It says what is missing.
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in ("pcm", "offsets", "name")}
    arrays["name"] = np.array([renumbered(str(name), moved) for name in arrays["name"]])
    with tempfile.TemporaryDirectory() as folder:
        renamed = Path(folder) / "other_takes.npz"
        np.savez(renamed, **arrays)
        return load_fsdd(renamed, **options)


def _require_fold(fold: int, folds: int) -> None:
    if fold not in range(folds):
        raise InputError(f"there is no fold {fold}: give --seeds from 0 to {folds - 1}")
