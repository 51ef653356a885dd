"""The state of a training without pruning after each epoch, so that a killed one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from mcuprune.pruning.backup import Backup, go_on, let_go


class EpochBackup(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """What ``MCUPruning(backup_dir=...)`` does, for the trainings in which nothing is pruned.

    Args:
        folder: A folder of this training alone; its file is deleted at the end of ``fit``.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._backup = Backup(folder)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Go on where a killed training was, if one was."""
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        saved = self._backup.load(self._training())
        if saved is not None:
            go_on(self.model, saved, self.params["epochs"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state."""
        self._backup.save(self.model, epoch, self._training(), {})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Delete what was kept."""
        let_go(self.model)
        self._backup.discard()

    def _training(self) -> dict[str, Any]:
        return {"epochs": self.params["epochs"]}
