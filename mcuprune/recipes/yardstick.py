"""What the unpruned reference costs and reaches as an int8 model: the yardstick of a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from mcuprune.cost.resources import Resources
from mcuprune.cost.timing import estimate_for
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.verify import verify
from mcuprune.engines.base import ArenaUse
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.fingerprints import reference_fingerprint
from mcuprune.recipes.kept import REFERENCE, read_known
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import Stage
from mcuprune.report.progress import announce
from mcuprune.whole_file import write_whole

TFLITE_FILE, INT8_FILE = "model.tflite", "int8.json"


@dataclasses.dataclass(frozen=True)
class Yardstick:
    """The reference, converted.

    Attributes:
        graph: What the device would execute.
        resources: What that costs, predicted.
        arena: What TFLM used.
        accuracy: Share of test inputs that LiteRT classifies right, 0 to 1.
    """

    graph: Graph
    resources: Resources
    arena: ArenaUse
    accuracy: float


def measure_reference(reference: Stage, recipe: Recipe, data: Dataset, folder: Path) -> Yardstick:
    """Convert the reference and run it, or take the numbers from an earlier run.

    Args:
        reference: The trained reference.
        recipe: How many training inputs set the quantization ranges, and what the run is held
            against: on its board, or on the host.
        data: Calibration comes from its training inputs, accuracy from its test inputs.
        folder: Run folder; the file lies beside the reference.

    Raises:
        ConversionError: The network has no full-int8 form.
        EngineError: LiteRT or TFLM refuses it.
    """
    place = folder / REFERENCE
    samples = recipe.deploy.calibration_samples
    of_this = {"reference": reference_fingerprint(recipe, data), "calibration_samples": samples}
    known = read_known(place / INT8_FILE)
    is_known = all(known.get(key) == value for key, value in of_this.items())
    if not (is_known and (place / TFLITE_FILE).is_file()):
        known = {**of_this, **_measured(reference, data, samples, place)}
        write_whole(place / INT8_FILE, json.dumps(known, indent=2) + "\n")
    graph = parse_tflite((place / TFLITE_FILE).read_bytes(), reference.model.name)
    budget = recipe.budget.budget(recipe.deploy.board)
    return Yardstick(
        graph, estimate_for(budget, graph), ArenaUse(**known["arena"]), known["accuracy"]
    )


def _measured(
    reference: Stage, data: Dataset, calibration_samples: int, place: Path
) -> dict[str, Any]:
    announce(f"reference: converting, then {len(data.x_test):,} test inputs through LiteRT")
    tflite = convert_int8(reference.model, data.x_train[:calibration_samples])
    found = verify(reference.model, tflite, data.x_test, data.y_test)
    (place / INT8_FILE).unlink(missing_ok=True)
    write_whole(place / TFLITE_FILE, tflite)
    return {"accuracy": found.int8_accuracy, "arena": dataclasses.asdict(found.arena)}
