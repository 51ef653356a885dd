"""A training's state on disk after each epoch, so that a killed one goes on where it was.

One file holds everything and is replaced as a whole: whenever the process dies, what lies there is
the state after some whole epoch.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.array_file import read_arrays
from mcuprune.errors import InputError
from mcuprune.whole_file import whole_file

FILE = "training.npz"
_STATE = "state"
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Saved:
    """A training after one of its epochs.

    Attributes:
        epoch: That epoch, counted from 0.
        training: What tells this training from others, plain values.
        state: What else belongs to it, plain values.
        values: Values of the model's and the optimizer's variables, in their order.
    """

    epoch: int
    training: Mapping[str, Any]
    state: Mapping[str, Any]
    values: tuple[npt.NDArray[Any], ...]


class Backup:
    """The backup of one training.

    Args:
        folder: Where its file lies; made when the first epoch ends.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / FILE

    def save(
        self, model: Any, epoch: int, training: Mapping[str, Any], state: Mapping[str, Any]
    ) -> None:
        """Write the state of a training after an epoch, in the place of an earlier one.

        Args:
            model: A compiled ``keras.Model``.
            epoch: The epoch that has ended, counted from 0.
            training: What tells this training from others, plain values.
            state: What else belongs to it, plain values.

        Raises:
            InputError: The file cannot be written.
        """
        told = {"version": _VERSION, "epoch": epoch, "training": training, "state": state}
        arrays: dict[str, Any] = {f"v{i}": v.numpy() for i, v in enumerate(_variables(model))}
        arrays[_STATE] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        try:
            with whole_file(self._path) as part:
                np.savez(part, **arrays)
        except OSError as error:
            raise InputError(
                f"cannot write the backup {self._path} ({error.strerror or error}): choose another "
                "backup_dir, on a disk with room"
            ) from error

    def load(self, training: Mapping[str, Any]) -> Saved | None:
        """Read the state that is there.

        Args:
            training: What tells this training from others.

        Returns:
            None if there is no backup.

        Raises:
            InputError: The file is no backup, or that of another training.
        """
        if not self._path.is_file():
            return None
        try:
            file = read_arrays(self._path)
            told = json.loads(bytes(file[_STATE]))
            values = tuple(file[f"v{i}"] for i in range(len(file) - 1))
            saved = Saved(told["epoch"], told["training"], told["state"], values)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self._path} is no backup of a training ({error}): delete it, or choose another "
                "backup_dir"
            ) from error
        expected = json.loads(json.dumps(training))
        if told.get("version") != _VERSION or saved.training != expected:
            raise InputError(
                f"{self._path} is the backup of another training ({_difference(saved, expected)}): "
                "go on with the settings of that one, delete the file to begin anew, or choose "
                "another backup_dir"
            )
        return saved

    def discard(self) -> None:
        """Delete the backup, if there is one: the training is over."""
        self._path.unlink(missing_ok=True)


def take_over(model: Any, saved: Saved) -> None:
    """Give the variables of a model and its optimizer the values of a backup.

    Args:
        model: A compiled ``keras.Model`` of the structure that was saved, its optimizer built.
        saved: The backup.

    Raises:
        InputError: The variables are others than those that were saved.
    """
    variables = _variables(model)
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in saved.values]:
        raise InputError(
            f"the backup holds {len(saved.values)} variables of other shapes than the model's "
            f"{len(variables)}: it was made with another network or optimizer. Delete it to begin "
            "anew"
        )
    for variable, value in zip(variables, saved.values, strict=True):
        variable.assign(value)


def go_on(model: Any, saved: Saved, epochs: int) -> None:
    """Let the ``fit`` that has just begun go on after the epoch of a backup, and say so.

    Args:
        model: As :func:`take_over` takes it.
        saved: The backup.
        epochs: Epochs of ``fit`` in all.

    Raises:
        InputError: The variables are others than those that were saved.
    """
    from keras.src.utils.io_utils import print_msg

    take_over(model, saved)
    done = saved.epoch + 1
    # Where Keras's own BackupAndRestore says at which epoch to begin.
    model._initial_epoch = done
    where = f"resumes at epoch {done + 1} of {epochs}" if done < epochs else "was at its end"
    print_msg(f"mcuprune: the training {where}, after a backup")


def let_go(model: Any) -> None:
    """Let a later ``fit`` of the model begin at its own first epoch."""
    model._initial_epoch = None


def _variables(model: Any) -> list[Any]:
    """Return all variables that training changes, each once, but those of metrics."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    found = {id(v): v for v in (*model.variables, *model.optimizer.variables)}
    return [variable for key, variable in found.items() if key not in metrics]


def _difference(saved: Saved, expected: Mapping[str, Any]) -> str:
    differing = [name for name in expected if saved.training.get(name) != expected[name]]
    name = differing[0] if differing else "version"
    return f"{name} was {saved.training.get(name)}, is {expected.get(name)}"
