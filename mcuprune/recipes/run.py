"""Runs a recipe: data, reference, pruning, deployment, report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mcuprune.cost.limits import limiting_sentence
from mcuprune.deployment.check import MODEL_FILE
from mcuprune.deployment.doubts import collapsed
from mcuprune.deployment.folder import MARK as REPORT_FILE
from mcuprune.deployment.folder import whole_folder
from mcuprune.deployment.package import deploy
from mcuprune.deployment.result import Deployment
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.ingredients import allow_code as require_code_allowed
from mcuprune.recipes.ingredients import load_data
from mcuprune.recipes.kept import kept_files
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import (
    Stage,
    check_pruning,
    train_pruned,
    train_quantized,
    train_reference,
)
from mcuprune.recipes.training import Watch
from mcuprune.recipes.validation import simulated_board
from mcuprune.recipes.yardstick import Yardstick, measure_reference
from mcuprune.report.comparison import comparison_html
from mcuprune.report.progress import announce
from mcuprune.report.timeline import plot_memory_timeline
from mcuprune.report.write import write_report
from mcuprune.whole_file import write_whole

RECIPE_FILE, DEPLOYMENT_FOLDER, TIMELINE_FILE = "recipe.yaml", "deployment", "memory_timeline.png"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        model: The pruned network, a plain ``keras.Model``, or after ``qat`` the one that computes
            with the numbers of int8.
        deployment: What was deployed, with its verdict.
        report: What ``report.json`` holds.
    """

    model: Any
    deployment: Deployment
    report: Mapping[str, Any]

    @property
    def fits(self) -> bool:
        """Whether the exported model meets the budget, and runs on the simulated board if any."""
        meets = self.deployment.verdict is None or self.deployment.verdict.fits
        simulation = self.report.get("simulation")
        return meets and (simulation is None or bool(simulation["succeeds"]))

    def _repr_html_(self) -> str:
        return comparison_html(self.report) + self.deployment._repr_html_()


@dataclasses.dataclass(frozen=True)
class Trained:
    """The trainings of a run.

    Attributes:
        reference: The unpruned network.
        pruned: The network within the budget.
        quantized: That network after ``qat``, None without.
        yardstick: What the reference costs and reaches as an int8 model.
    """

    reference: Stage
    pruned: Stage
    quantized: Stage | None
    yardstick: Yardstick

    @property
    def final(self) -> Stage:
        """The one that is deployed."""
        return self.quantized or self.pruned

    @property
    def fit_seconds(self) -> float:
        """Wall time of all epochs under the budget."""
        return self.pruned.fit_seconds + (self.quantized.fit_seconds if self.quantized else 0.0)


def run_recipe(
    recipe: Recipe, folder: Path, *, allow_code: bool = False, watch: Watch | None = None
) -> Outcome:
    """Run a recipe; each stage is kept in the run folder, from epoch to epoch.

    The same recipe run again goes on where the run was stopped, or killed, and takes what was
    finished from there. The deployment folder appears as a whole.

    Args:
        recipe: What to run.
        folder: Run folder; made if absent.
        allow_code: Whether to run Python files that the recipe names from outside the working
            folder.
        watch: Called after each epoch of every training.

    Raises:
        InputError: Data, options or the budget do not allow the run; nothing was trained.
        TrainingDivergedError: A loss became NaN.
        KeyboardInterrupt: Stopped; the message says what is kept where.
    """
    require_code_allowed(recipe, is_allowed=allow_code)
    data = load_data(recipe.data)
    check_pruning(recipe, data)
    _prepare(folder, recipe)
    try:
        reference = train_reference(recipe, data, folder, watch)
        yardstick = measure_reference(reference, recipe, data, folder)
        pruned = train_pruned(recipe, data, folder, watch)
        quantized = _quantized(recipe, data, folder, pruned, watch)
        trained = Trained(reference, pruned, quantized, yardstick)
        deployment, report = _deployed(recipe, data, folder / DEPLOYMENT_FOLDER, trained)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_kept_message(folder)) from interrupt
    return Outcome(trained.final.model, deployment, report)


def _deployed(
    recipe: Recipe, data: Dataset, out: Path, trained: Trained
) -> tuple[Deployment, dict[str, Any]]:
    """Write the deployment folder, which appears with all that belongs into it."""
    with whole_folder(out) as place:
        deployment = _deploy(recipe, data, place, trained)
        deployment = dataclasses.replace(deployment, folder=out)
        report = _report(recipe, trained, deployment)
        simulated = simulated_board(recipe.validation, data, place / MODEL_FILE)
        report["simulation"] = simulated.report
        report["doubts"] += [doubt.to_json() for doubt in simulated.doubts]
        _write_report(recipe, trained.yardstick, place, report)
    return deployment, report


def _quantized(
    recipe: Recipe, data: Dataset, folder: Path, pruned: Stage, watch: Watch | None
) -> Stage | None:
    if recipe.quantization.method == "ptq":
        return None
    return train_quantized(recipe, data, folder, pruned, watch)


def _prepare(folder: Path, recipe: Recipe) -> None:
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RECIPE_FILE, text)
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror}): choose another folder with --out"
        ) from error


def _deploy(recipe: Recipe, data: Dataset, place: Path, trained: Trained) -> Deployment:
    announce("deployment: converting, verifying with LiteRT and TFLM")
    return deploy(
        trained.final.model,
        data.x_train[: recipe.deploy.calibration_samples],
        place,
        board=recipe.deploy.board,
        budget=recipe.budget.budget(recipe.deploy.board),
        reference=trained.yardstick.resources,
        test=(data.x_test, data.y_test),
        class_names=data.class_names or None,
        format=recipe.deploy.format,
        runtime=recipe.deploy.runtime,
    )


def _report(recipe: Recipe, trained: Trained, deployment: Deployment) -> dict[str, Any]:
    report = deployment.to_json()
    yardstick = trained.yardstick
    report["accuracy"].update(
        float_reference=trained.reference.accuracy, int8_reference=yardstick.accuracy
    )
    if trained.quantized is not None:
        # What was deployed computes with the numbers of int8.
        report["accuracy"].update(
            float_pruned=trained.pruned.accuracy, quantization_aware=trained.quantized.accuracy
        )
    kept = collapsed(
        "the pruned model",
        trained.pruned.accuracy,
        "the reference",
        trained.reference.accuracy,
        deployment.verification.commonest_share,
    )
    report["doubts"] += [doubt.to_json() for doubt in kept]
    return {
        "recipe": recipe.title,
        "seed": recipe.training.seed,
        "validation_board": recipe.validation.board,
        **report,
        "arena_reference": {"used": dataclasses.asdict(yardstick.arena)},
        "limit": limiting_sentence(deployment.resources, recipe.budget.budget(recipe.deploy.board)),
        "fit_seconds": trained.fit_seconds,
        "fit_seconds_reference": trained.reference.fit_seconds,
    }


def _write_report(
    recipe: Recipe, yardstick: Yardstick, place: Path, report: Mapping[str, Any]
) -> None:
    after = read_tflite(place / MODEL_FILE)
    budget_sram = recipe.budget.budget(recipe.deploy.board).sram
    plot_memory_timeline(yardstick.graph, after, budget_sram, place / TIMELINE_FILE)
    write_whole(place / REPORT_FILE, json.dumps(report, indent=2) + "\n")
    write_report(place, run=place.parent)


def _kept_message(folder: Path) -> str:
    files = kept_files(folder)
    if not files:
        return f"no model was finished; the same command goes on from what {folder} holds"
    kept = ", ".join(str(file) for file in files)
    return f"kept {kept}. The same command goes on from there"
