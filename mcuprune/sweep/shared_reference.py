"""The trained reference that the trials of a sweep share."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from mcuprune.recipes.fingerprints import reference_choices
from mcuprune.recipes.ingredients import load_data
from mcuprune.recipes.kept import HISTORY_FILE, MODEL_FILE, REFERENCE, STAGE_FILE
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import train_reference
from mcuprune.recipes.yardstick import INT8_FILE, TFLITE_FILE, measure_reference
from mcuprune.whole_file import whole_file

# The one that tells what the model is comes last, so that half a copy is none.
_FILES = (MODEL_FILE, HISTORY_FILE, TFLITE_FILE, INT8_FILE, STAGE_FILE)


def reference_name(recipe: Recipe) -> str:
    """Return a name that recipes with the same reference share, and no others."""
    choices = json.dumps(reference_choices(recipe), sort_keys=True)
    return hashlib.sha256(choices.encode()).hexdigest()[:16]


def prepare_reference(recipe: Recipe, folder: Path) -> None:
    """Train a reference and measure its int8 form, or find that this was done before.

    Args:
        recipe: The recipe of a trial.
        folder: A run folder that belongs to this reference alone.

    Raises:
        InputError: The data is missing or malformed.
        TrainingDivergedError: The loss became NaN.
    """
    data = load_data(recipe.data)
    reference = train_reference(recipe, data, folder)
    measure_reference(reference, recipe, data, folder)


def take_reference(shared: Path, folder: Path) -> None:
    """Copy a prepared reference into the run folder of a trial, where it is not there yet."""
    if (folder / REFERENCE / STAGE_FILE).is_file():
        return
    for name in _FILES:
        with whole_file(folder / REFERENCE / name) as part:
            shutil.copyfile(shared / REFERENCE / name, part)
