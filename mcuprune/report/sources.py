"""Where a report's material lies: a run, a deployment or a single file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.errors import InputError

REPORT_FILE, MODEL_FILE, KERAS_FILE = "report.json", "model.tflite", "model.keras"
PAGE_FILE = "report.html"
DEPLOYMENT_FOLDER, REFERENCE_FOLDER = "deployment", "reference"
# Folders of the trainings of a run, with what to call them, in their order.
TRAINING_FOLDERS = {
    REFERENCE_FOLDER: "reference",
    "pruned": "pruning",
    "quantized": "quantization",
}
_WHOLE = ("resources", "accuracy", "arena", "budget")


@dataclasses.dataclass(frozen=True)
class Sources:
    """The folders of a report's material.

    Attributes:
        deployment: Holds ``report.json`` and ``model.tflite``.
        run: Holds the deployment and the trainings, None where there is none around it.
        report: What ``report.json`` holds.
    """

    deployment: Path
    run: Path | None
    report: Mapping[str, Any]

    @property
    def reference_model(self) -> Path | None:
        """The reference's ``.tflite`` file, None without one."""
        return self._of_run(REFERENCE_FOLDER, MODEL_FILE)

    @property
    def keras_models(self) -> tuple[Path, Path | None]:
        """The pruned network's ``.keras`` file and the reference's."""
        pruned = self._of_run("pruned", KERAS_FILE) or self.deployment / KERAS_FILE
        return pruned, self._of_run(REFERENCE_FOLDER, KERAS_FILE)

    def _of_run(self, *parts: str) -> Path | None:
        path = None if self.run is None else self.run.joinpath(*parts)
        return path if path is not None and path.is_file() else None


def find_sources(folder: Path, run: Path | None = None) -> Sources:
    """Find a deployment and the run around it.

    Args:
        folder: Of a run or of a deployment.
        run: Of the run, where the deployment does not lie in its place yet.

    Raises:
        InputError: Neither is there, or ``report.json`` is not one of this version's.
    """
    inside = folder / DEPLOYMENT_FOLDER
    deployment = inside if (inside / REPORT_FILE).is_file() else folder
    path = deployment / REPORT_FILE
    if not path.is_file() or not (deployment / MODEL_FILE).is_file():
        raise InputError(
            f"{folder} is no run and no deployment (no {REPORT_FILE} beside a {MODEL_FILE}): give "
            "the folder that `mcuprune run` or `mcuprune deploy` wrote, or a .tflite file"
        )
    return Sources(deployment, run or _run_around(deployment.resolve()), _read(path))


def _run_around(deployment: Path) -> Path | None:
    is_run = (deployment.parent / REFERENCE_FOLDER).is_dir()
    return deployment.parent if is_run and deployment.name == DEPLOYMENT_FOLDER else None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no readable JSON ({error}): run or deploy again") from error
    missing = [key for key in _WHOLE if not isinstance(report, dict) or key not in report]
    if missing:
        raise InputError(
            f"{path} lacks {', '.join(missing)}: it was written by something else; run or deploy "
            "again with this version"
        )
    return report  # type: ignore[no-any-return]
