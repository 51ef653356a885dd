"""The models that travel with the package: their names, cards and files."""

from __future__ import annotations

import shutil
from pathlib import Path

from mcuprune.catalogue import data_folder
from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name
from mcuprune.whole_file import whole_file
from mcuprune.zoo.card import Card, read_card

CARD_FILE, MODEL_FILE = "card.yaml", "model.tflite"


def zoo_names() -> list[str]:
    """Return the names of all models, sorted."""
    return sorted(path.parent.name for path in data_folder("zoo").glob(f"*/{CARD_FILE}"))


def zoo_folder(name: str) -> Path:
    """Return the folder of a model: ``card.yaml`` and ``model.tflite``.

    Raises:
        UnknownNameError: No such model; names the nearest.
    """
    if name not in zoo_names():
        raise unknown_name("model of the zoo", name, zoo_names())
    return data_folder("zoo") / name


def zoo_card(name: str) -> Card:
    """Return what is known of a model.

    Raises:
        UnknownNameError: No such model; names the nearest.
    """
    return read_card(zoo_folder(name) / CARD_FILE)


def copy_model(name: str, out: Path) -> Path:
    """Copy a model and its card into a folder, as ``NAME.tflite`` and ``NAME.yaml``.

    Args:
        name: Of the model.
        out: The folder; made if absent. Files of these names are replaced.

    Returns:
        Path of the ``.tflite`` file.

    Raises:
        UnknownNameError: No such model; names the nearest.
        InputError: The folder cannot be written.
    """
    folder, target = zoo_folder(name), out / f"{name}.tflite"
    try:
        for source, copy in ((MODEL_FILE, target), (CARD_FILE, target.with_suffix(".yaml"))):
            with whole_file(copy) as part:
                shutil.copyfile(folder / source, part)
    except OSError as error:
        raise InputError(
            f"cannot write to {out} ({error.strerror or error}): choose with --out a folder that "
            "you may write to"
        ) from None
    return target
