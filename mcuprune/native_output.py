"""Catches what C and C++ code writes to the process's standard output and error."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

_STDOUT, _STDERR = 1, 2
# File descriptors belong to the whole process: one catch at a time, though it may nest.
_catching = threading.RLock()


class CaughtText:
    """Filled when the ``with`` block ends."""

    text = ""


@contextlib.contextmanager
def caught_stderr() -> Iterator[CaughtText]:
    """Redirect file descriptor 2 into a temporary file while the block runs.

    What other threads write meanwhile is caught too.

    Yields:
        An object whose ``text`` holds the output once the block has ended.
    """
    with _caught((_STDERR,)) as caught:
        yield caught


@contextlib.contextmanager
def caught_output() -> Iterator[CaughtText]:
    """Do the same with file descriptors 1 and 2, standard output and error together."""
    with _caught((_STDOUT, _STDERR)) as caught:
        yield caught


@contextlib.contextmanager
def _caught(descriptors: tuple[int, ...]) -> Iterator[CaughtText]:
    caught = CaughtText()
    with _catching, tempfile.TemporaryFile() as sink, contextlib.ExitStack() as restored:
        # Registered first, so read last: after every descriptor is back in place.
        restored.callback(_read, sink, caught)
        for descriptor in descriptors:
            restored.enter_context(_redirected(descriptor, sink))
        yield caught


@contextlib.contextmanager
def _redirected(descriptor: int, sink: IO[bytes]) -> Iterator[None]:
    _flush()
    kept = os.dup(descriptor)
    os.dup2(sink.fileno(), descriptor)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, descriptor)
        os.close(kept)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _read(sink: IO[bytes], caught: CaughtText) -> None:
    sink.seek(0)
    caught.text = sink.read().decode("utf-8", errors="replace")
