"""Catches what C and C++ code writes to the process's standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_STDERR = 2
# File descriptor 2 belongs to the whole process: one catch at a time.
_catching = threading.Lock()


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
    caught = CaughtText()
    with _catching, tempfile.TemporaryFile() as sink:
        sys.stderr.flush()
        kept = os.dup(_STDERR)
        os.dup2(sink.fileno(), _STDERR)
        try:
            yield caught
        finally:
            sys.stderr.flush()
            os.dup2(kept, _STDERR)
            os.close(kept)
            sink.seek(0)
            caught.text = sink.read().decode("utf-8", errors="replace")
