"""Finds a data set by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.datasets.digits import load_digits
from mcuprune.recipes.datasets.fashion import load_fashion
from mcuprune.recipes.datasets.fsdd import load_fsdd
from mcuprune.recipes.options import check_options
from mcuprune.suggest import unknown_name

LOADERS: dict[str, Callable[..., Dataset]] = {
    "digits": load_digits,
    "fsdd": load_fsdd,
    "fashion": load_fashion,
}


def load(name: str, path: Path | None, options: dict[str, object]) -> Dataset:
    """Load a data set.

    Args:
        name: Its name (``"digits"``, ``"fsdd"``, ``"fashion"``).
        path: Where the data lies; None for the data set's own source.
        options: Further arguments of the loader.

    Raises:
        UnknownNameError: No such data set or option; names the nearest.
        InputError: The data is missing or malformed.
    """
    loader = find_loader(name)
    check_options(loader, options, "data.options", given=("path",))
    try:
        return loader(path, **options)
    except TypeError as error:
        raise InputError(f"data.options {options}: {error}; correct the value") from error


def find_loader(name: str) -> Callable[..., Dataset]:
    """Return the loader called ``name``.

    Raises:
        UnknownNameError: No such data set; names the nearest.
    """
    if name not in LOADERS:
        raise unknown_name("data set", name, LOADERS)
    return LOADERS[name]
