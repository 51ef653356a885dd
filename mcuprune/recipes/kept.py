"""What a run keeps on disk of each training, so that a stopped or killed one goes on there."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.whole_file import whole_file, write_whole

REFERENCE, PRUNED, QUANTIZED = "reference", "pruned", "quantized"
# In a stage's folder: the model, what is known about it, and what only an unfinished one has.
MODEL_FILE, STAGE_FILE, INTERRUPTED_FILE = "model.keras", "stage.json", "interrupted.keras"
HISTORY_FILE, BACKUP_FOLDER = "history.csv", "backup"


@dataclasses.dataclass(frozen=True)
class StageFolder:
    """The folder of one training of a run.

    A model is taken from there only if it is that of the same training and was written to its end:
    every file is replaced as a whole, the one that tells what the model is after the model.

    Attributes:
        path: The folder.
        fingerprint: Hash of all that decides what the training becomes.
    """

    path: Path
    fingerprint: str

    def keep(self, model: Any, fit_seconds: float) -> None:
        """Keep the model of a finished training.

        Args:
            model: A plain ``keras.Model``.
            fit_seconds: Wall time of ``fit``.
        """
        known = {"fingerprint": self.fingerprint, "fit_seconds": fit_seconds}
        (self.path / STAGE_FILE).unlink(missing_ok=True)
        self._save(model, MODEL_FILE)
        write_whole(self.path / STAGE_FILE, json.dumps(known, indent=2) + "\n")
        (self.path / INTERRUPTED_FILE).unlink(missing_ok=True)

    def keep_interrupted(self, model: Any) -> None:
        """Keep the model of a training that was stopped, as it is now."""
        self._save(model, INTERRUPTED_FILE)

    def kept(self) -> tuple[Any, float] | None:
        """Return the uncompiled model of this training and its ``fit_seconds``, if it is there."""
        import keras

        known = read_known(self.path / STAGE_FILE)
        if known.get("fingerprint") != self.fingerprint or not self._model.is_file():
            return None
        return keras.models.load_model(self._model, compile=False), known["fit_seconds"]

    def backup_folder(self) -> Path:
        """Return where this training's state is kept after each epoch; delete those of others."""
        own = self.path / BACKUP_FOLDER / self.fingerprint[:16]
        for other in (self.path / BACKUP_FOLDER).glob("*"):
            if other != own:
                shutil.rmtree(other)
        return own

    def forget_backup(self) -> None:
        """Delete what was kept of epochs: the training is over."""
        shutil.rmtree(self.path / BACKUP_FOLDER, ignore_errors=True)

    @property
    def _model(self) -> Path:
        return self.path / MODEL_FILE

    def _save(self, model: Any, name: str) -> None:
        with whole_file(self.path / name) as part:
            model.save(part)


def kept_files(folder: Path) -> list[Path]:
    """Return the models that a run has left so far."""
    files = [
        folder / stage / name
        for stage in (REFERENCE, PRUNED, QUANTIZED)
        for name in (MODEL_FILE, INTERRUPTED_FILE)
    ]
    return [file for file in files if file.is_file()]


def read_known(path: Path) -> Mapping[str, Any]:
    """Return what an earlier run wrote to a JSON file; empty if it is absent or cut short."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
