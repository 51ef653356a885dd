"""Finds the data files that travel with the package: boards, kernels, recipes."""

from __future__ import annotations

from pathlib import Path

from mcuprune.suggest import unknown_name

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return the folder of data ``name`` (``"recipes"``, ``"cost_models/boards"``).

    An installed wheel carries it inside the package; in a checkout it stands at the top level.
    """
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def names(folder: str) -> list[str]:
    """Return the names of the YAML files in a data folder, sorted."""
    return sorted(path.stem for path in data_folder(folder).glob("*.yaml"))


def find(folder: str, name: str, what: str) -> Path:
    """Return the YAML file of an entry.

    Args:
        folder: Data folder, for example ``"cost_models/boards"``.
        name: The entry, without the ending.
        what: What an entry is called in the error (``"board"``).

    Raises:
        UnknownNameError: No such entry; names the nearest.
    """
    if name not in names(folder):
        raise unknown_name(what, name, names(folder))
    return data_folder(folder) / f"{name}.yaml"
