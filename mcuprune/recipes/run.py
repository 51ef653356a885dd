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
from mcuprune.deployment.folder import MARK as REPORT_FILE
from mcuprune.deployment.package import deploy
from mcuprune.deployment.result import Deployment
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.stages import (
    Stage,
    check_pruning,
    kept_files,
    train_pruned,
    train_quantized,
    train_reference,
)
from mcuprune.recipes.validation import simulated_board
from mcuprune.recipes.yardstick import Yardstick, measure_reference
from mcuprune.report.progress import announce
from mcuprune.report.timeline import plot_memory_timeline

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


def run_recipe(recipe: Recipe, folder: Path) -> Outcome:
    """Run a recipe; each stage is kept in the run folder as it finishes.

    Args:
        recipe: What to run.
        folder: Run folder; made if absent.

    Raises:
        InputError: Data, options or the budget do not allow the run; nothing was trained.
        TrainingDivergedError: A loss became NaN.
        KeyboardInterrupt: Stopped; the message says what is kept where.
    """
    data = load(recipe.data.name, recipe.data.path, recipe.data.options)
    check_pruning(recipe, data)
    _prepare(folder, recipe)
    try:
        reference = train_reference(recipe, data, folder)
        samples = recipe.deploy.calibration_samples
        budget = recipe.budget.budget(recipe.deploy.board)
        yardstick = measure_reference(reference, data, samples, budget, folder)
        pruned = train_pruned(recipe, data, folder)
        quantized = _quantized(recipe, data, folder, pruned)
        deployment = _deploy(recipe, data, folder, quantized or pruned, yardstick)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_kept_message(folder)) from interrupt
    report = _report(recipe, reference, yardstick, pruned, quantized, deployment)
    model = deployment.folder / MODEL_FILE
    report["simulation"] = simulated_board(recipe.validation, data, model)
    _write_report(recipe, yardstick, deployment, report)
    return Outcome((quantized or pruned).model, deployment, report)


def _quantized(recipe: Recipe, data: Dataset, folder: Path, pruned: Stage) -> Stage | None:
    if recipe.quantization.method == "ptq":
        return None
    return train_quantized(recipe, data, folder, pruned)


def _prepare(folder: Path, recipe: Recipe) -> None:
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror}): choose another folder with --out"
        ) from error


def _deploy(
    recipe: Recipe, data: Dataset, folder: Path, trained: Stage, yardstick: Yardstick
) -> Deployment:
    announce("deployment: converting, verifying with LiteRT and TFLM")
    return deploy(
        trained.model,
        data.x_train[: recipe.deploy.calibration_samples],
        folder / DEPLOYMENT_FOLDER,
        board=recipe.deploy.board,
        budget=recipe.budget.budget(recipe.deploy.board),
        reference=yardstick.resources,
        test=(data.x_test, data.y_test),
    )


def _report(
    recipe: Recipe,
    reference: Stage,
    yardstick: Yardstick,
    pruned: Stage,
    quantized: Stage | None,
    deployment: Deployment,
) -> dict[str, Any]:
    report = deployment.to_json()
    report["accuracy"].update(float_reference=reference.accuracy, int8_reference=yardstick.accuracy)
    fit_seconds = pruned.fit_seconds
    if quantized is not None:
        fit_seconds += quantized.fit_seconds
        # What was deployed computes with the numbers of int8.
        report["accuracy"].update(
            float_pruned=pruned.accuracy, quantization_aware=quantized.accuracy
        )
    return {
        "recipe": recipe.title,
        "seed": recipe.training.seed,
        **report,
        "arena_reference": {"used": dataclasses.asdict(yardstick.arena)},
        "limit": limiting_sentence(deployment.resources, recipe.budget.budget(recipe.deploy.board)),
        "fit_seconds": fit_seconds,
        "fit_seconds_reference": reference.fit_seconds,
    }


def _write_report(
    recipe: Recipe, yardstick: Yardstick, deployment: Deployment, report: Mapping[str, Any]
) -> None:
    after = read_tflite(deployment.folder / MODEL_FILE)
    budget_sram = recipe.budget.budget(recipe.deploy.board).sram
    plot_memory_timeline(yardstick.graph, after, budget_sram, deployment.folder / TIMELINE_FILE)
    text = json.dumps(report, indent=2) + "\n"
    (deployment.folder / REPORT_FILE).write_text(text, encoding="utf-8")


def _kept_message(folder: Path) -> str:
    files = kept_files(folder)
    if not files:
        return f"nothing was finished; {folder} holds the recipe"
    kept = ", ".join(str(file) for file in files)
    return f"kept {kept}. The same command takes a finished reference from there"
