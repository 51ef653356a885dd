"""The trainings of a run, each kept on disk as it finishes and after each of its epochs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from mcuprune.pruning.distillation import soft_targets
from mcuprune.recipes.datasets.dataset import Dataset, Floats
from mcuprune.recipes.fingerprints import (
    pruned_fingerprint,
    quantized_fingerprint,
    reference_fingerprint,
)
from mcuprune.recipes.ingredients import build_network
from mcuprune.recipes.kept import MODEL_FILE, PRUNED, QUANTIZED, REFERENCE, StageFolder
from mcuprune.recipes.options import check_options
from mcuprune.recipes.schema import Recipe, TrainingSection
from mcuprune.recipes.training import Watch, accuracy, compile_model, fit
from mcuprune.report.progress import announce

# Filled in from the recipe's own keys, so pruning.options cannot set them.
CALLBACK_ARGUMENTS = ("verbose", "log_dir")
PRUNING_ARGUMENTS_FROM_RECIPE = ("budget", "start_epoch", "end_epoch", "backup_dir")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A finished training.

    Attributes:
        model: A plain ``keras.Model``.
        accuracy: Share of test inputs classified right, 0 to 1, in float.
        fit_seconds: Wall time of ``fit``, in all processes that it took.
        reused: Whether it was taken from an earlier run.
    """

    model: Any
    accuracy: float
    fit_seconds: float
    reused: bool = False


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
    Pruner(build_network(recipe.model, data), recipe.budget.budget(recipe.deploy.board), **shared)


def train_reference(
    recipe: Recipe, data: Dataset, folder: Path, watch: Watch | None = None
) -> Stage:
    """Train the unpruned network, or take it from an earlier run of the same configuration.

    Args:
        recipe: What to train.
        data: Its data.
        folder: Run folder; the stage lies in ``reference/``.
        watch: Called after each epoch.

    Raises:
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was is in ``interrupted.keras``.
    """
    import keras

    place = StageFolder(folder / REFERENCE, reference_fingerprint(recipe, data))
    if (taken := _taken(place, data, "reference")) is not None:
        return taken
    training = recipe.reference_training
    keras.utils.set_random_seed(training.seed)
    model = build_network(recipe.model, data)
    epochs = recipe.reference.epochs
    compile_model(model, training, epochs, len(data.x_train))
    return _fit(model, data, training, epochs, "reference", place, watch)


def train_pruned(recipe: Recipe, data: Dataset, folder: Path, watch: Watch | None = None) -> Stage:
    """Train the network under the budget, or take it from an earlier run alike.

    Args:
        recipe: What to train, and how to prune it.
        data: Its data.
        folder: Run folder; the stage lies in ``pruned/``.
        watch: Called after each epoch.

    Raises:
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was, plain, is in ``interrupted.keras``.
    """
    import keras

    from mcuprune.pruning.callback import MCUPruning

    place = StageFolder(folder / PRUNED, pruned_fingerprint(recipe, data))
    if (taken := _taken(place, data, "pruning")) is not None:
        return taken
    keras.utils.set_random_seed(recipe.training.seed)
    model = _starting_model(recipe, data, folder)
    training = recipe.pruned_training
    compile_model(model, training, training.epochs, len(data.x_train))
    pruning = MCUPruning(
        recipe.budget.budget(recipe.deploy.board),
        start_epoch=recipe.pruning.start_epoch,
        end_epoch=recipe.pruning.end_epoch,
        backup_dir=place.backup_folder(),
        **recipe.pruning.options,
    )
    epochs, targets = recipe.float_epochs, _targets(recipe, data, folder)
    return _fit(model, data, training, epochs, "pruning", place, watch, pruning, targets)


def train_quantized(
    recipe: Recipe, data: Dataset, folder: Path, pruned: Stage, watch: Watch | None = None
) -> Stage:
    """Train the pruned network with the numbers of int8, for the epochs that are left.

    Args:
        recipe: For how many epochs, and at which learning rate.
        data: Its data; the first training inputs set the ranges at first.
        folder: Run folder; the stage lies in ``quantized/``.
        pruned: The network.
        watch: Called after each epoch.

    Returns:
        The stage; its accuracy is that with the numbers of int8.

    Raises:
        UnsupportedModelError: A layer cannot be trained so.
        TrainingDivergedError: The loss became NaN.
        KeyboardInterrupt: Stopped; the model as it was is in ``interrupted.keras``.
    """
    import keras

    import mcuprune.ir.fake_quantization  # noqa: F401  # makes its layers known to load_model
    from mcuprune.quantization.prepare import quantize_aware

    place = StageFolder(folder / QUANTIZED, quantized_fingerprint(recipe, data))
    if (taken := _taken(place, data, "quantization")) is not None:
        return taken
    keras.utils.set_random_seed(recipe.training.seed)
    model = quantize_aware(pruned.model, data.x_train[: recipe.deploy.calibration_samples])
    training = recipe.training.model_copy(update={"learning_rate": recipe.aware_learning_rate})
    epochs = recipe.quantization.epochs
    compile_model(model, training, epochs, len(data.x_train))
    targets = _targets(recipe, data, folder)
    return _fit(model, data, training, epochs, "quantization", place, watch, targets=targets)


def _starting_model(recipe: Recipe, data: Dataset, folder: Path) -> Any:
    if recipe.pruning.start_from == "reference":
        return _reference(folder)
    return build_network(recipe.model, data)


def _targets(recipe: Recipe, data: Dataset, folder: Path) -> Floats | None:
    """Return what the pruned network learns, None for its labels alone."""
    if not recipe.distillation.share:
        return None
    taught = recipe.distillation.model_dump()
    return soft_targets(_reference(folder), data.x_train, data.y_train, **taught)


def _reference(folder: Path) -> Any:
    import keras

    return keras.models.load_model(folder / REFERENCE / MODEL_FILE, compile=False)


def _fit(
    model: Any,
    data: Dataset,
    training: TrainingSection,
    epochs: int,
    title: str,
    place: StageFolder,
    watch: Watch | None,
    pruning: Any = None,
    targets: Floats | None = None,
) -> Stage:
    """Train, from where a killed process was if one was; keep the model while its backup is there.

    The last cut was made at ``pruning.end_epoch``, so the model is plain when training ends.
    """
    from mcuprune.recipes.epoch_backup import EpochBackup

    resuming = pruning or EpochBackup(place.backup_folder())
    try:
        fitted = fit(
            model,
            data,
            training,
            epochs,
            title,
            place.path,
            [resuming],
            at_end=lambda seconds: place.keep(model, seconds),
            watch=watch,
            targets=targets,
        )
    except KeyboardInterrupt:
        if pruning is not None:
            pruning.release()
        place.keep_interrupted(model)
        raise
    place.forget_backup()
    return Stage(model, accuracy(model, data.x_test, data.y_test), fitted.seconds)


def _taken(place: StageFolder, data: Dataset, title: str) -> Stage | None:
    """Return the stage that an earlier run has finished, if one has."""
    if (kept := place.kept()) is None:
        return None
    model, fit_seconds = kept
    place.forget_backup()
    announce(f"{title}: taken from {place.path}, trained earlier")
    return Stage(model, accuracy(model, data.x_test, data.y_test), fit_seconds, reused=True)
