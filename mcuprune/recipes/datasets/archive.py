"""Reads named arrays from an ``.npz`` file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from mcuprune.array_file import UnreadableArraysError, read_arrays
from mcuprune.errors import InputError


def read_npz(path: Path, keys: Sequence[str], where: str) -> dict[str, npt.NDArray[Any]]:
    """Read arrays from an ``.npz`` file.

    Args:
        path: The file.
        keys: Names of the arrays it must hold.
        where: Sentence for the error: where to get the data.

    Raises:
        InputError: The file is unreadable, no archive of arrays, or lacks a key.
    """
    try:
        arrays = read_arrays(path)
    except UnreadableArraysError as error:
        raise InputError(f"{path} is no readable .npz file ({error}). {where}") from error
    missing = [key for key in keys if key not in arrays]
    if missing:
        found = ", ".join(filter(None, arrays)) or "nothing by name"
        raise InputError(f"{path} lacks {', '.join(missing)}; it holds {found}. {where}")
    return {key: arrays[key] for key in keys}
