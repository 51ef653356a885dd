"""Whether a finished file meets a budget. TensorFlow is not needed."""

from __future__ import annotations

from pathlib import Path

from mcuprune.budget import Budget, require_budget
from mcuprune.cost.timing import estimate_for
from mcuprune.cost.verdict import Verdict, compare
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.report.sources import DEPLOYMENT_FOLDER

MODEL_FILE = "model.tflite"


def check(path: str | Path, budget: Budget) -> Verdict:
    """Hold a ``.tflite`` file against a budget, on its board if it names one.

    Args:
        path: The file, a deployment folder that holds it as ``model.tflite``, or the folder of a
            run.
        budget: What is allowed.

    Returns:
        The verdict: per limited resource what is required, available and in excess.

    Raises:
        InputError: The file is missing, unreadable or no sound TFLite model; or an argument is of
            another type.
    """
    if not isinstance(path, str | Path):
        raise InputError(
            f"expected the path of a .tflite file, found {type(path).__name__}: deploy a Keras "
            "model first, check what its folder holds"
        )
    require_budget(budget)
    path = Path(path)
    places = (path / MODEL_FILE, path / DEPLOYMENT_FOLDER / MODEL_FILE)
    graph = read_tflite(next((place for place in places if place.is_file()), path))
    return compare(estimate_for(budget, graph), budget)
