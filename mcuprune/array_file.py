"""Reads NumPy's files, which may be damaged or something else."""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_NPY, _ZIP = b"\x93NUMPY", b"PK"
# What NumPy and what it reads with raise for damaged files; RuntimeError for encrypted ones.
_DAMAGES = (
    OSError,
    ValueError,
    EOFError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    lzma.LZMAError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class UnreadableArraysError(ValueError):
    """A file that holds no arrays, or damaged ones; the message says why."""


def read_arrays(path: Path) -> dict[str, Array]:
    """Read the arrays of an ``.npz`` file, or that of an ``.npy`` file under the name ``""``.

    Python objects are never loaded.

    Args:
        path: The file.

    Raises:
        UnreadableArraysError: The file is damaged, holds Python objects or is something else.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_NPY))
            file.seek(0)
            if start == _NPY:
                return {"": np.lib.format.read_array(file, allow_pickle=False)}
            if not start.startswith(_ZIP):
                raise UnreadableArraysError("it does not begin as NumPy's files do")
            with np.load(file, allow_pickle=False) as archive:
                return {name: _array(archive[name], name) for name in archive}
    except UnreadableArraysError:
        raise
    except _DAMAGES as error:
        raise UnreadableArraysError(_reason(error)) from error


def _array(found: Any, name: str) -> Array:
    if not isinstance(found, np.ndarray):
        raise UnreadableArraysError(f"its member {name!r} is no array")
    return found


def _reason(error: BaseException) -> str:
    # NumPy's own advice is to trust the file.
    if "Object arrays" in str(error):
        return "it holds Python objects, which are not loaded"
    if "allow_pickle" in str(error):
        return "its header is damaged"
    return str(error) or type(error).__name__
