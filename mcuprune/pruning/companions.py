"""The other callbacks of the same ``fit``, kept from judging the network before its last cut.

Until then the loss rises and falls with the cuts and the weights of one epoch do not fit the model
of a later one: what ``EarlyStopping``, ``ReduceLROnPlateau`` and ``ModelCheckpoint`` remember of
that time would stop the training, lower its learning rate or keep a model over the budget.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from mcuprune.errors import InputError

# Two epochs, of which Keras counts one down before it looks: none is left to count as a plateau.
_COOLDOWN = 2
# A number of batches that no training reaches.
_NEVER = sys.maxsize


def companions_of(callback: Any) -> Companions:
    """Find the other callbacks of the ``fit`` that is calling ``callback`` now.

    Keras tells callbacks nothing of each other; the ``CallbackList`` that calls them knows.

    Raises:
        InputError: Another one of its class is among them.
    """
    frame = inspect.currentframe()
    while frame is not None:
        holder = frame.f_locals.get("self")
        if isinstance(holder, keras.callbacks.CallbackList):
            others = [other for other in holder.callbacks if other is not callback]
            if any(isinstance(other, type(callback)) for other in others):
                raise InputError(
                    f"callbacks hold two {type(callback).__name__}, and a model is pruned by one: "
                    "put all limits into one Budget"
                )
            return Companions(others)
        frame = frame.f_back
    warnings.warn(
        "MCUPruning cannot see the other callbacks here. Give EarlyStopping start_from_epoch="
        "end_epoch, and take the best checkpoint and learning rate among the epochs after it.",
        stacklevel=3,
    )
    return Companions([])


class Companions:
    """Callbacks that draw conclusions from epoch to epoch, and their own settings.

    Args:
        callbacks: All other callbacks of the ``fit``, in any order.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        known = keras.callbacks
        self._stopping = [c for c in callbacks if isinstance(c, known.EarlyStopping)]
        self._plateaus = [c for c in callbacks if isinstance(c, known.ReduceLROnPlateau)]
        checkpoints = [c for c in callbacks if isinstance(c, known.ModelCheckpoint)]
        self._checkpoints = [c for c in checkpoints if c.save_best_only]
        self._backups = [c for c in callbacks if isinstance(c, known.BackupAndRestore)]
        self._first_epochs = [stopping.start_from_epoch for stopping in self._stopping]
        self._frequencies = [checkpoint.save_freq for checkpoint in self._checkpoints]
        self._thresholds = [_threshold(checkpoint) for checkpoint in self._checkpoints]
        self._holding = False

    def refuse_backups(self) -> None:
        """Refuse ``BackupAndRestore``, whose backup of a cut model fits no model of a later start.

        Raises:
            InputError: It is among the callbacks.
        """
        if self._backups:
            raise InputError(
                "BackupAndRestore cannot resume pruning: its backup holds the weights of the cut "
                "network, which do not fit the uncut one that a restarted program builds. Take it "
                "out of callbacks and give MCUPruning a backup_dir, which can"
            )

    def hold(self, epoch: int) -> None:
        """Let none of them judge epoch ``epoch`` (counted from 0), in which pruning goes on."""
        self._holding = True
        for stopping, first in zip(self._stopping, self._first_epochs, strict=True):
            stopping.start_from_epoch = max(first, epoch + 1)
        for plateau in self._plateaus:
            plateau.cooldown_counter = _COOLDOWN
        for checkpoint in self._checkpoints:
            checkpoint.save_freq = _NEVER

    def save_from_now_on(self) -> None:
        """Let checkpoints take the network as it is: its last cut was made."""
        kept = zip(self._checkpoints, self._frequencies, self._thresholds, strict=True)
        for checkpoint, frequency, threshold in kept:
            checkpoint.save_freq, checkpoint.best = frequency, threshold

    def judge_anew(self) -> None:
        """Let all of them judge the final network from here, without what they have seen before."""
        if self._holding:
            self.save_from_now_on()
            for plateau in self._plateaus:
                plateau.best, plateau.wait = None, 0
            self.release()

    def release(self) -> None:
        """Give all of them their own settings back."""
        if not self._holding:
            return
        self._holding = False
        for stopping, first in zip(self._stopping, self._first_epochs, strict=True):
            stopping.start_from_epoch = first
        for plateau in self._plateaus:
            plateau.cooldown_counter = 0
        for checkpoint, frequency in zip(self._checkpoints, self._frequencies, strict=True):
            checkpoint.save_freq = frequency

    def save(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Let checkpoints save the final network now, for want of a later epoch.

        Args:
            epoch: The last epoch, counted from 0.
            logs: Its metrics.
        """
        self.save_from_now_on()
        for checkpoint, frequency in zip(self._checkpoints, self._frequencies, strict=True):
            checkpoint.save_freq = "epoch"
            checkpoint.on_epoch_end(epoch, dict(logs))
            checkpoint.save_freq = frequency


def _threshold(checkpoint: Any) -> float | None:
    """Return the ``initial_value_threshold`` of a checkpoint.

    One that has been through a training holds the best of another network in its place.
    """
    used = checkpoint.monitor_op is not None
    return None if used or checkpoint.best is None else float(checkpoint.best)
