"""The table of a training's epochs, whole after each of them and after a resumed run."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from mcuprune.whole_file import write_whole

EPOCH, SECONDS = "epoch", "seconds"


class HistoryTable(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Writes one line per epoch: Keras's logs, and the wall seconds that the epoch took.

    Where a training goes on after it was killed, the lines of the epochs before stay.

    Args:
        path: The ``.csv`` file.

    Attributes:
        seconds_before: Wall seconds of the epochs that an earlier process trained.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._began = 0.0
        self.seconds_before = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Read what an earlier process has left, as far as this one goes on from there."""
        first = self.model._initial_epoch or 0
        self._rows = [row for row in _read(self._path) if int(row[EPOCH]) < first]
        self.seconds_before = sum(float(row[SECONDS]) for row in self._rows)
        self._write()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Add a line."""
        seconds = round(time.perf_counter() - self._began, 3)
        self._rows.append({EPOCH: epoch, **dict(sorted((logs or {}).items())), SECONDS: seconds})
        self._write()

    def _write(self) -> None:
        text = io.StringIO()
        if self._rows:
            table = csv.DictWriter(text, self._rows[0], lineterminator="\n", extrasaction="ignore")
            table.writeheader()
            table.writerows(self._rows)
        write_whole(self._path, text.getvalue())


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if EPOCH in row and SECONDS in row]
