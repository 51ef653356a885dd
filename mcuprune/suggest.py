"""Names the nearest known word when a user's word is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from mcuprune.errors import UnknownNameError


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word closest to ``word``, or None when nothing is close.

    >>> nearest("digit", ["digits", "fashion"])
    'digits'
    """
    matches = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def near_file(path: Path) -> str:
    """Return, for the end of a message, which file lies where one was not found; else nothing.

    >>> near_file(Path("no-such-folder/model.tflite"))
    ''
    """
    folder = path.parent
    names = [file.name for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
    name = nearest(path.name, names)
    return "" if name is None else f" (there is {folder / name})"


def unknown_name(what: str, word: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for an unknown name: what was found, what is near, what is allowed.

    >>> str(unknown_name("recipe", "digit", ["digits", "fashion"]))
    "unknown recipe 'digit': did you mean 'digits'? Known: digits, fashion."
    """
    names = sorted(known)
    guess = nearest(word, names)
    hint = f" did you mean {guess!r}?" if guess else ""
    return UnknownNameError(f"unknown {what} {word!r}:{hint} Known: {', '.join(names)}.")
