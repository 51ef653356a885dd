"""Writes a file as a whole or not at all, and clears away what killed processes left of theirs."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# What is being written, at the end of its name.
PART = "part"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write a file at, which becomes ``path`` when the block ends without an error.

    It stands beside ``path`` meanwhile and has the same suffix. Whenever the process dies, what
    lies at ``path`` is a whole file, the earlier one or the new one.

    Args:
        path: The file; its folder is made if absent.

    Raises:
        OSError: It cannot be written.
    """
    part = beside(path, f"{PART}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file as a whole or not at all; text as UTF-8.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def beside(path: Path, ending: str) -> Path:
    """Return a path beside another one that belongs to this process alone.

    >>> beside(Path("run/model.keras"), "part").name == f".model.keras.{os.getpid()}.part"
    True
    """
    return path.with_name(f".{path.name}.{os.getpid()}.{ending}")


def is_part(folder: Path) -> bool:
    """Tell whether a folder is one that this process is writing :func:`beside` another path.

    >>> is_part(beside(Path("run/deployment"), PART)), is_part(Path("run/deployment"))
    (True, False)
    """
    return folder.name.startswith(".") and folder.name.endswith(f".{os.getpid()}.{PART}")


def sweep(path: Path) -> None:
    """Delete what processes that were killed have left :func:`beside` a path."""
    for left in path.parent.glob(f".{path.name}.*"):
        process = left.name.removeprefix(f".{path.name}.").split(".")[0]
        if process.isdecimal() and not _runs(int(process)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Tell whether a process runs; where that cannot be asked without harm, say that it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
