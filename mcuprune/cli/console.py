"""What commands read and print: results alone on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mcuprune.errors import InputError
from mcuprune.suggest import near_file


def load_arrays(path: Path) -> Any:
    """Return the array of a .npy file; of a .npz file with several, a list of them."""
    arrays = list(_loaded(path).values())
    return arrays[0] if len(arrays) == 1 else arrays


def load_test_set(path: Path) -> tuple[Any, Any]:
    """Return inputs and class numbers, ``x`` and ``y`` of a .npz file.

    Raises:
        InputError: The file is missing, or has other arrays.
    """
    loaded = _loaded(path)
    found = sorted(filter(None, loaded))
    if found != ["x", "y"]:
        named = ", ".join(found) or "an array without a name"
        raise InputError(
            f"{path} holds {named}, a test set is x, the inputs, and y, the class numbers: write "
            "it with numpy.savez(path, x=..., y=...)"
        )
    return loaded["x"], loaded["y"]


def _loaded(path: Path) -> dict[str, Any]:
    """Return the arrays of a .npz file by name, or that of a .npy file."""
    from mcuprune.array_file import UnreadableArraysError, read_arrays

    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(
            f"{path} {found}: write the data to a file with numpy.save, or check the path"
            f"{near_file(path)}"
        )
    try:
        return read_arrays(path)
    except UnreadableArraysError as error:
        raise InputError(
            f"{path} is no readable .npy or .npz file ({error}): write one with numpy.save, or "
            "numpy.savez for several inputs"
        ) from error


def print_json(value: Any) -> None:
    """Print plain values as JSON, alone on stdout."""
    typer.echo(json.dumps(value, indent=2))


def print_all(*items: Any) -> None:
    """Print texts and tables on stdout, one after the other."""
    from rich.console import Console

    # Names of layers, tensors and files may hold what would be markup.
    console = Console(markup=False)
    for item in items:
        console.print(item)


def import_tensorflow() -> None:
    """Import TensorFlow without the lines it logs before it reads TF_CPP_MIN_LOG_LEVEL."""
    from mcuprune.native_output import caught_stderr

    with caught_stderr():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send what libraries write to stdout, from Python or C, to stderr."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
