"""What Ray runs on its workers: a reference, a trial. Nothing of the sweep's state is here."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcuprune.recipes.load import validate
from mcuprune.sweep.row import Row

LOG_FILE = "log.txt"
# What a trial reports to Tune: an epoch as one text, since Tune takes nested values apart.
EPOCH = "told"


def train_reference(task: Mapping[str, Any]) -> str | None:
    """Prepare a reference.

    Args:
        task: ``recipe`` as plain values, ``folder``, ``cpus``.

    Returns:
        What it failed of, None if it did not.
    """
    from mcuprune.errors import McupruneError

    folder = Path(task["folder"])
    with _logged(folder, task["cpus"]):
        from mcuprune.sweep.shared_reference import prepare_reference

        try:
            prepare_reference(validate(task["recipe"], "reference"), folder)
        except McupruneError as error:
            return str(error)
    return None


def run_trial(task: Mapping[str, Any]) -> None:
    """Run a trial, telling Tune of its epochs.

    Args:
        task: ``recipe`` and ``row`` as plain values, ``folder``, ``reference``, ``cpus``.
    """
    from ray import tune

    folder = Path(task["folder"])
    with _logged(folder, task["cpus"]):
        from mcuprune.sweep import trial

        row = Row(**task["row"])
        recipe = validate(task["recipe"], f"trial {row.trial}")
        reference = Path(task["reference"])
        trial.run_trial(
            recipe, row, folder, reference, lambda epoch: tune.report({EPOCH: epoch.to_json()})
        )


@contextlib.contextmanager
def _logged(folder: Path, cpus: int) -> Iterator[None]:
    """Let all that the process writes go to a file of the folder, and TensorFlow use its share."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(cpus))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    folder.mkdir(parents=True, exist_ok=True)
    kept = os.dup(1), os.dup(2)
    with (folder / LOG_FILE).open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, number in zip(kept, (1, 2), strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
