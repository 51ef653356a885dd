"""One trial, as a worker runs it: a run of a recipe, and one file that says how it ended."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mcuprune.cost.front import estimate
from mcuprune.cost.resources import Resources
from mcuprune.deployment.check import MODEL_FILE
from mcuprune.errors import InfeasibleBudgetError, McupruneError
from mcuprune.recipes.kept import HISTORY_FILE, PRUNED, QUANTIZED, read_known
from mcuprune.recipes.run import DEPLOYMENT_FOLDER, Outcome, run_recipe
from mcuprune.recipes.schema import Recipe
from mcuprune.sweep.front import Costs
from mcuprune.sweep.row import FAILED, FINISHED, INFEASIBLE, Row
from mcuprune.sweep.shared_reference import take_reference
from mcuprune.whole_file import write_whole

RESULT_FILE = "result.json"
PRUNING, QUANTIZATION = "pruning", "quantization"
VAL_ACCURACY = "val_accuracy"


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What a trial tells of itself after each epoch under the budget.

    Attributes:
        epoch: Epochs done, those with the numbers of int8 among them.
        epochs: Epochs in all.
        val_accuracy: After this one, in Keras.
        least: What its network costs at least, None before its widths are final.
    """

    epoch: int
    epochs: int
    val_accuracy: float
    least: Costs | None

    def to_json(self) -> str:
        """Return the attributes by name, as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Epoch:
        """Return the epoch of :meth:`to_json`."""
        told = json.loads(text)
        least = told.pop("least")
        return cls(**told, least=None if least is None else Costs(**least))


def run_trial(
    recipe: Recipe, row: Row, folder: Path, reference: Path, tell: Callable[[Epoch], None]
) -> None:
    """Run a trial, from where a killed one was, and write how it ended.

    Errors of the trial are an end too; its row says what they were.

    Args:
        recipe: The trial's own.
        row: The trial.
        folder: Its run folder.
        reference: Run folder of the prepared reference.
        tell: Called after each epoch under the budget.
    """
    if kept_result(row, folder) is not None:
        return
    take_reference(reference, folder)
    try:
        outcome = run_recipe(recipe, folder, allow_code=True, watch=_Watch(recipe, tell))
    except InfeasibleBudgetError as error:
        end = dataclasses.replace(row, status=INFEASIBLE, message=str(error))
    except McupruneError as error:
        end = dataclasses.replace(row, status=FAILED, message=str(error))
    else:
        end = _finished(row, outcome, folder)
    write_whole(folder / RESULT_FILE, json.dumps(dataclasses.asdict(end), indent=2) + "\n")


def kept_result(row: Row, folder: Path) -> Row | None:
    """Return how a trial ended, None if it has not; one that failed is no end to be kept."""
    known = read_known(folder / RESULT_FILE)
    if not known or known.get("status") == FAILED or set(known) != set(dataclasses.asdict(row)):
        return None
    end = Row(**known)
    return end if end.identity == row.identity else None


def failure(folder: Path) -> str | None:
    """Return what a trial says that it failed of, None if it says nothing."""
    known = read_known(folder / RESULT_FILE)
    return known.get("message") if known.get("status") == FAILED else None


def forget_failure(folder: Path) -> None:
    """Delete what a trial said of its failure: it is to be tried again."""
    if failure(folder) is not None:
        (folder / RESULT_FILE).unlink(missing_ok=True)


def val_curve(folder: Path) -> list[float]:
    """Return the validation accuracy after each epoch under the budget, from a run folder."""
    curve: list[float] = []
    for stage in (PRUNED, QUANTIZED):
        path = folder / stage / HISTORY_FILE
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                curve += [float(line[VAL_ACCURACY]) for line in csv.DictReader(file)]
    return curve


class _Watch:
    """Tells of the epochs under the budget; what the network costs is counted once it is final."""

    def __init__(self, recipe: Recipe, tell: Callable[[Epoch], None]) -> None:
        self._recipe = recipe
        self._tell = tell
        self._least: Costs | None = None

    def __call__(self, title: str, epoch: int, logs: Mapping[str, Any], model: Any) -> None:
        if title not in (PRUNING, QUANTIZATION):
            return
        done = epoch + 1 + (self._recipe.float_epochs if title == QUANTIZATION else 0)
        if title == PRUNING and self._least is None and done >= self._recipe.pruning.end_epoch:
            self._least = _least(estimate(model, board=self._recipe.deploy.board))
        accuracy = float(logs.get(VAL_ACCURACY, 0.0))
        self._tell(Epoch(done, self._recipe.training.epochs, accuracy, self._least))


def _least(resources: Resources) -> Costs:
    """Return the least that a network costs: a memory plan can still make its arena smaller."""
    arena, planned = resources.peak_sram_bytes, resources.arena_planned_bytes
    return Costs(
        arena if planned is None else min(arena, planned),
        resources.flash_bytes,
        resources.macs,
        resources.latency_ms,
    )


def _finished(row: Row, outcome: Outcome, folder: Path) -> Row:
    file = folder / DEPLOYMENT_FOLDER / MODEL_FILE
    resources = estimate(file, board=row.board)
    curve, accuracy = val_curve(folder), outcome.report["accuracy"]
    return dataclasses.replace(
        row,
        status=FINISHED,
        accuracy=accuracy["int8"],
        float_accuracy=accuracy["float_pruned"],
        val_accuracy=curve[-1],
        peak_sram_bytes=resources.peak_sram_bytes,
        flash_bytes=resources.flash_bytes,
        macs=resources.macs,
        latency_ms=resources.latency_ms,
        energy_mj=resources.energy_mj,
        fits=int(outcome.fits),
        epochs=len(curve),
        seconds=outcome.report["fit_seconds"],
    )
