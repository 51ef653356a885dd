"""What the unpruned reference costs and reaches as an int8 model: the yardstick of a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget
from mcuprune.cost.resources import Resources
from mcuprune.cost.timing import estimate_for
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.verify import verify
from mcuprune.engines.base import ArenaUse
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.stages import REFERENCE, Stage, read_known
from mcuprune.report.progress import announce

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


def measure_reference(
    reference: Stage, data: Dataset, calibration_samples: int, budget: Budget, folder: Path
) -> Yardstick:
    """Convert the reference and run it, or take the numbers from an earlier run.

    Args:
        reference: The trained reference.
        data: Calibration comes from its training inputs, accuracy from its test inputs.
        calibration_samples: How many training inputs set the quantization ranges.
        budget: What the run is held against: on its board, or on the host.
        folder: Run folder; the file lies beside the reference.

    Raises:
        ConversionError: The network has no full-int8 form.
        EngineError: LiteRT or TFLM refuses it.
    """
    place = folder / REFERENCE
    known = read_known(place / INT8_FILE)
    tflite_file = place / TFLITE_FILE
    fresh = known.get("calibration_samples") == calibration_samples and tflite_file.is_file()
    if not (reference.reused and fresh):
        known = _measured(reference, data, calibration_samples, place)
    graph = parse_tflite(tflite_file.read_bytes(), reference.model.name)
    return Yardstick(
        graph, estimate_for(budget, graph), ArenaUse(**known["arena"]), known["accuracy"]
    )


def _measured(
    reference: Stage, data: Dataset, calibration_samples: int, place: Path
) -> dict[str, Any]:
    announce(f"reference: converting, then {len(data.x_test):,} test inputs through LiteRT")
    tflite = convert_int8(reference.model, data.x_train[:calibration_samples])
    found = verify(reference.model, tflite, data.x_test, data.y_test)
    known = {
        "calibration_samples": calibration_samples,
        "accuracy": found.int8_accuracy,
        "arena": dataclasses.asdict(found.arena),
    }
    (place / TFLITE_FILE).write_bytes(tflite)
    (place / INT8_FILE).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    return known
