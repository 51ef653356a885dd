"""The trainings of a run, each kept on disk as it finishes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import PARTS, Dataset
from mcuprune.recipes.models import builder
from mcuprune.recipes.options import check_options
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.training import accuracy, compile_model, fit
from mcuprune.report.progress import announce

REFERENCE, PRUNED, QUANTIZED = "reference", "pruned", "quantized"
# Kept in a stage's folder: the model, and what is known about it.
MODEL_FILE, STAGE_FILE, INTERRUPTED_FILE = "model.keras", "stage.json", "interrupted.keras"
# Filled in from the recipe's own keys, so pruning.options cannot set them.
CALLBACK_ARGUMENTS = ("verbose", "backup_dir")
PRUNING_ARGUMENTS_FROM_RECIPE = ("budget", "start_epoch", "end_epoch")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A finished training.

    Attributes:
        model: A plain ``keras.Model``.
        accuracy: Share of test inputs classified right, 0 to 1, in float.
        fit_seconds: Wall time of ``fit``.
        reused: Whether it was taken from an earlier run.
    """

    model: Any
    accuracy: float
    fit_seconds: float
    reused: bool = False


def build(recipe: Recipe, data: Dataset) -> Any:
    """Build the recipe's network for its data, uncompiled.

    Raises:
        InputError: The network cannot be built from these inputs and options.
    """
    try:
        model = builder(recipe.model.name)(
            input_shape=data.input_shape, classes=data.classes, **recipe.model.options
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"model {recipe.model.name!r} cannot be built for inputs of shape {data.input_shape} "
            f"with model.options {recipe.model.options} ({error}): correct the options"
        ) from error
    return model


def check_pruning(recipe: Recipe, data: Dataset) -> None:
    """Refuse what pruning would refuse, before anything is trained.

    Raises:
        UnknownNameError: ``pruning.options`` has an unknown key.
        InfeasibleBudgetError: Not even the narrowest network meets the budget.
        UnsupportedModelError: The network has no prunable channel.
    """
    from mcuprune.pruning.callback import MCUPruning
    from mcuprune.pruning.pruner import Pruner

    options = recipe.pruning.options
    check_options(MCUPruning, options, "pruning.options", PRUNING_ARGUMENTS_FROM_RECIPE)
    shared = {n: value for n, value in options.items() if n not in CALLBACK_ARGUMENTS}
    Pruner(build(recipe, data), recipe.budget.budget(recipe.deploy.board), **shared)


def train_reference(recipe: Recipe, data: Dataset, folder: Path) -> Stage:
    """Train the unpruned network, or take it from an earlier run of the same configuration.

    Args:
        recipe: What to train.
        data: Its data.
        folder: Run folder; the stage lies in ``reference/``.

    Raises:
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was is in ``interrupted.keras``.
    """
    import keras

    place = folder / REFERENCE
    fingerprint = reference_fingerprint(recipe, data)
    if (kept := _kept(place, fingerprint)) is not None:
        announce(f"reference: taken from {place}, trained earlier")
        return kept
    keras.utils.set_random_seed(recipe.training.seed)
    model = build(recipe, data)
    epochs = recipe.reference.epochs
    compile_model(model, recipe.training, epochs, len(data.x_train))
    try:
        fitted = fit(model, data, recipe.training, epochs, "reference", place)
    except KeyboardInterrupt:
        model.save(place / INTERRUPTED_FILE)
        raise
    stage = Stage(model, accuracy(model, data.x_test, data.y_test), fitted.seconds)
    _keep(stage, place, fingerprint)
    return stage


def train_pruned(recipe: Recipe, data: Dataset, folder: Path) -> Stage:
    """Train the network under the budget.

    Args:
        recipe: What to train, and how to prune it.
        data: Its data.
        folder: Run folder; the stage lies in ``pruned/``.

    Raises:
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was, plain, is in ``interrupted.keras``.
    """
    import keras

    from mcuprune.pruning.callback import MCUPruning

    place = folder / PRUNED
    keras.utils.set_random_seed(recipe.training.seed)
    model = _starting_model(recipe, data, folder)
    epochs = recipe.float_epochs
    compile_model(model, recipe.training, recipe.training.epochs, len(data.x_train))
    pruning = MCUPruning(
        recipe.budget.budget(recipe.deploy.board),
        start_epoch=recipe.pruning.start_epoch,
        end_epoch=recipe.pruning.end_epoch,
        **recipe.pruning.options,
    )
    try:
        fitted = fit(model, data, recipe.training, epochs, "pruning", place, [pruning])
    except KeyboardInterrupt:
        pruning.release()
        model.save(place / INTERRUPTED_FILE)
        raise
    stage = Stage(model, accuracy(model, data.x_test, data.y_test), fitted.seconds)
    _keep(stage, place, reference_fingerprint(recipe, data))
    return stage


def train_quantized(recipe: Recipe, data: Dataset, folder: Path, pruned: Stage) -> Stage:
    """Train the pruned network with the numbers of int8, for the epochs that are left.

    Args:
        recipe: For how many epochs, and at which learning rate.
        data: Its data; the first training inputs set the ranges at first.
        folder: Run folder; the stage lies in ``quantized/``.
        pruned: The network.

    Returns:
        The stage; its accuracy is that with the numbers of int8.

    Raises:
        UnsupportedModelError: A layer cannot be trained so.
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was is in ``interrupted.keras``.
    """
    from mcuprune.quantization.prepare import quantize_aware

    place, wanted = folder / QUANTIZED, recipe.quantization
    model = quantize_aware(pruned.model, data.x_train[: recipe.deploy.calibration_samples])
    training = recipe.training.model_copy(update={"learning_rate": recipe.aware_learning_rate})
    compile_model(model, training, wanted.epochs, len(data.x_train))
    try:
        fitted = fit(model, data, training, wanted.epochs, "quantization", place)
    except KeyboardInterrupt:
        model.save(place / INTERRUPTED_FILE)
        raise
    stage = Stage(model, accuracy(model, data.x_test, data.y_test), fitted.seconds)
    _keep(stage, place, reference_fingerprint(recipe, data))
    return stage


def kept_files(folder: Path) -> list[Path]:
    """Return the models that a run has left so far."""
    files = [
        folder / stage / name
        for stage in (REFERENCE, PRUNED, QUANTIZED)
        for name in (MODEL_FILE, INTERRUPTED_FILE)
    ]
    return [file for file in files if file.is_file()]


def _starting_model(recipe: Recipe, data: Dataset, folder: Path) -> Any:
    import keras

    if recipe.pruning.start_from == "reference":
        return keras.models.load_model(folder / REFERENCE / MODEL_FILE, compile=False)
    return build(recipe, data)


def _keep(stage: Stage, place: Path, fingerprint: str) -> None:
    stage.model.save(place / MODEL_FILE)
    known = {
        "fingerprint": fingerprint,
        "accuracy": stage.accuracy,
        "fit_seconds": stage.fit_seconds,
    }
    (place / STAGE_FILE).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    (place / INTERRUPTED_FILE).unlink(missing_ok=True)


def _kept(place: Path, fingerprint: str) -> Stage | None:
    import keras

    known = read_known(place / STAGE_FILE)
    if known.get("fingerprint") != fingerprint or not (place / MODEL_FILE).is_file():
        return None
    return Stage(
        model=keras.models.load_model(place / MODEL_FILE, compile=False),
        accuracy=known["accuracy"],
        fit_seconds=known["fit_seconds"],
        reused=True,
    )


def read_known(path: Path) -> Mapping[str, Any]:
    """Return what an earlier run wrote to a JSON file; empty if it is absent or cut short."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def reference_fingerprint(recipe: Recipe, data: Dataset) -> str:
    """Return a hash of all that decides what the reference becomes: recipe, data, Keras."""
    import keras

    digest = hashlib.sha256()
    sections = recipe.model_dump(mode="json", include={"model", "training", "reference"})
    del sections["training"]["epochs"]  # those of the pruned network
    digest.update(json.dumps([sections, keras.__version__], sort_keys=True).encode())
    for part in PARTS:
        digest.update(getattr(data, f"x_{part}").tobytes())
        digest.update(getattr(data, f"y_{part}").tobytes())
    return digest.hexdigest()
