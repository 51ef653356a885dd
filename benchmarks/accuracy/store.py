"""Results on disk: one line of JSON per run, in a file per task.

A run that was stopped leaves what it finished. Several processes may write at a time: each appends
whole lines under a lock. Of lines with the same key the last one counts.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Key:
    """What makes a run.

    Attributes:
        task: Name of the task.
        budget: Name of the budget.
        label: The method, or what a variant of it is called.
        seed: Seed of weights, shuffling and dropout.
        epochs: Passes over the training inputs, all stretches together.
    """

    task: str
    budget: str
    label: str
    seed: int
    epochs: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Key:
        """Return a record's key."""
        return cls(**{field.name: record[field.name] for field in dataclasses.fields(cls)})


class OtherSettingsError(ValueError):
    """A label stands for settings that are not those of the run."""


class Store:
    """The results of a folder.

    Args:
        folder: Made when the first result is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, task: str) -> dict[Key, dict[str, Any]]:
        """Return the results of a task by key; a line that was cut short is passed over."""
        path = self._path(task)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        records = [record for line in lines if (record := _parsed(line)) is not None]
        return {Key.of(record): record for record in records}

    def tasks(self) -> list[str]:
        """Return the tasks that have results."""
        return sorted(path.stem for path in self._folder.glob("*.jsonl"))

    def has(self, key: Key, settings: Mapping[str, Any]) -> bool:
        """Tell whether a run is there.

        Raises:
            OtherSettingsError: One of that key is there, run with other settings.
        """
        found = self.read(key.task).get(key)
        if found is None:
            return False
        if found["settings"] != json.loads(json.dumps(settings)):
            differing = _differences(found["settings"], json.loads(json.dumps(settings)))
            raise OtherSettingsError(
                f"{key} is there with other settings ({', '.join(differing)}): choose another "
                "--label, or replace it with --again"
            )
        return True

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a result."""
        Key.of(record)
        line = json.dumps(record) + "\n"
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path(record["task"]).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write((_line_break(file) + line).encode())
            file.flush()
            os.fsync(file.fileno())

    def _path(self, task: str) -> Path:
        return self._folder / f"{task}.jsonl"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _line_break(file: Any) -> str:
    """Return what ends a line that was cut short."""
    if file.seek(0, os.SEEK_END) == 0:
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    return sorted(
        name for name in {*ours, *theirs} if ours.get(name, None) != theirs.get(name, None)
    )
