"""Writes a folder as a whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from mcuprune.errors import InputError
from mcuprune.whole_file import PART, beside, is_part, sweep

# A folder that holds this file is an earlier deployment and may be replaced.
MARK = "report.json"
# How an earlier deployment is called while the new one takes its place.
_REPLACED = "old"


def require_replaceable(out: Path) -> None:
    """Check that a deployment may be written to ``out``.

    Raises:
        InputError: There is a file, or a folder with other contents.
    """
    if out.is_dir() and not (out / MARK).is_file() and any(out.iterdir()):
        raise InputError(
            f"{out} holds other files and is no earlier deployment (no {MARK} inside): choose "
            "another folder, or empty it"
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file: choose a folder")


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes ``out`` when the block ends without an error.

    It stands beside ``out`` meanwhile, so that a half-written one is never mistaken for whole. An
    earlier deployment at ``out`` is replaced only then; after an error it is as before. What a
    killed process has left half-written is cleared away. Within such a block the folder that it
    gave may be given for ``out``: it is then written directly, and stays as whole as its own.

    Raises:
        InputError: ``out`` may not be replaced, or cannot be written.
    """
    out = out.resolve()
    require_replaceable(out)
    if is_part(out):
        yield out
        return
    staging = beside(out, PART)
    try:
        _clear(out)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        _put_in_place(staging, out)
    except OSError as error:
        raise InputError(
            f"cannot write {out} ({error.strerror or error}): choose a folder you may write to, "
            "on a disk with room"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _put_in_place(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.rename(out)
        return
    replaced = beside(out, _REPLACED)
    out.rename(replaced)
    staging.rename(out)
    shutil.rmtree(replaced)


def _clear(out: Path) -> None:
    """Clear away what killed processes left; give a deployment that one of them moved its place."""
    moved = sorted(out.parent.glob(f".{out.name}.*.{_REPLACED}"))
    if moved and not out.exists():
        moved[0].rename(out)
    sweep(out)
