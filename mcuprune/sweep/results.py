"""The table of a sweep's trials, in SQLite: one process writes, any number may read meanwhile.

The sweep's own process is the only one that writes, so trials on other machines need no more of the
folder than files. Every change is one transaction in SQLite's rollback journal, which survives
``kill -9`` and, other than its write-ahead log, works on network drives.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from mcuprune.errors import InputError
from mcuprune.sweep.row import Row

TABLE = "trials"
_KINDS = {"int": "INTEGER", "str": "TEXT", "float": "REAL"}
_WAIT_S = 30.0


class Results:
    """The table.

    Args:
        path: The file; made when the first trials are put in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, rows: Iterable[Row]) -> None:
        """Write trials, in the place of earlier ones of the same number.

        Raises:
            InputError: The file cannot be written.
        """
        values = [dataclasses.astuple(row) for row in rows]
        names = [field.name for field in dataclasses.fields(Row)]
        marks = ", ".join("?" * len(names))
        with self._opened() as database:
            database.execute(_CREATE)
            database.executemany(
                f"INSERT OR REPLACE INTO {TABLE} ({', '.join(names)}) VALUES ({marks})", values
            )

    def rows(self) -> list[Row]:
        """Return all trials by their numbers.

        Raises:
            InputError: The file is no table of trials.
        """
        if not self._path.is_file():
            return []
        names = ", ".join(field.name for field in dataclasses.fields(Row))
        with self._opened() as database:
            exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            if database.execute(exists, (TABLE,)).fetchone() is None:
                return []
            found = database.execute(f"SELECT {names} FROM {TABLE} ORDER BY trial").fetchall()
        return [Row(*values) for values in found]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self._path, timeout=_WAIT_S)
            with contextlib.closing(database), database:
                yield database
        except sqlite3.Error as error:
            raise InputError(
                f"{self._path} is no table of trials that can be used ({error}): check the folder, "
                "its rights and the room on the disk"
            ) from error


def _column(field: dataclasses.Field[object]) -> str:
    kind = str(field.type).removesuffix(" | None")
    null = "" if str(field.type).endswith("None") else " NOT NULL"
    key = " PRIMARY KEY" if field.name == "trial" else ""
    return f"{field.name} {_KINDS[kind]}{null}{key}"


_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (" + ", ".join(map(_column, dataclasses.fields(Row))) + ")"
)
