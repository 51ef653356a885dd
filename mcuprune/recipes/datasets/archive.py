"""Reads named arrays from an ``.npz`` file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in keys if key not in archive]
            if not missing:
                return {key: archive[key] for key in keys}
            found = ", ".join(archive) or "nothing"
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise InputError(f"{path} is no readable .npz file ({error}). {where}") from error
    raise InputError(f"{path} lacks {', '.join(missing)}; it holds {found}. {where}")
