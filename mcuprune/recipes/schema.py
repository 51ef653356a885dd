"""What a recipe may say: every key, its type and its default."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from mcuprune.budget import Budget
from mcuprune.deployment.projects.formats import format_names
from mcuprune.pruning.distillation import TEMPERATURE
from mcuprune.recipes.ingredient_sections import DataSection, ModelSection
from mcuprune.recipes.section import (
    SECTION,
    BoardName,
    Fraction,
    NotNegative,
    Positive,
    Rate,
    with_key_path,
)
from mcuprune.recipes.sweep_section import SweepSection
from mcuprune.units import parse_bytes, parse_count, parse_microseconds


class Section(BaseModel):
    """A mapping in a recipe."""

    model_config = SECTION


class TrainingSection(Section):
    """How the pruned network trains.

    Attributes:
        epochs: Passes over the training data, pruning included.
        batch_size: Inputs per step.
        optimizer: ``adam``, ``adamw`` or ``sgd`` (with momentum 0.9).
        learning_rate: At the start.
        schedule: ``cosine`` falls to zero over all steps; ``constant`` stays.
        weight_decay: For ``adamw`` and ``sgd``.
        label_smoothing: Share of each target spread over all classes.
        seed: Seed of weights, shuffling and dropout.
    """

    epochs: Positive
    batch_size: Positive = 64
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Rate = 2e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    label_smoothing: Fraction = 0.0
    seed: NotNegative = 0


class PruningSection(Section):
    """When channels go, and from which weights training starts.

    Attributes:
        start_epoch: First epoch with pruning, from 0.
        end_epoch: Epochs after which the budget is met; the rest fine-tunes.
        start_from: ``scratch`` for fresh weights, ``reference`` for those of the unpruned
            reference.
        learning_rate: Of the pruned network at the start; ``training.learning_rate`` if absent.
        options: Further arguments of :class:`mcuprune.MCUPruning`, layer classes by name. Widths
            are rounded for ``deploy.board`` unless ``round_to`` is among them.
    """

    start_epoch: NotNegative
    end_epoch: Positive
    start_from: Literal["scratch", "reference"] = "scratch"
    learning_rate: Rate | None = None
    options: dict[str, Any] = {}


class DistillationSection(Section):
    """What the pruned network learns from the reference, see :func:`mcuprune.soft_targets`.

    Attributes:
        share: Of the reference in each target, 0 (labels alone) to below 1.
        temperature: What the reference's logits are divided by.
    """

    share: Fraction = 0.0
    temperature: Rate = TEMPERATURE


class QuantizationSection(Section):
    """How the pruned network becomes int8.

    Attributes:
        method: ``ptq`` quantizes after training, with ranges from calibration inputs; ``qat``
            spends the last epochs on training with the numbers of int8.
        epochs: Epochs of ``qat``, the last of ``training.epochs``.
        learning_rate: Of ``qat`` at the start; what ``training.schedule`` has come down to by then
            if absent, or a tenth of ``training.learning_rate`` where that is constant.
    """

    method: Literal["ptq", "qat"] = "ptq"
    epochs: Positive = 2
    learning_rate: Rate | None = None


class ReferenceSection(Section):
    """The unpruned network that accuracies are held against.

    Attributes:
        epochs: Passes over the training data.
        seed: Seed of its weights, shuffling and dropout; ``training.seed`` if absent.
    """

    epochs: Positive
    seed: NotNegative | None = None


class BudgetSection(Section):
    """Upper limits; at least one is needed.

    Attributes:
        sram: Arena, bytes or text with a unit.
        flash: ``.tflite`` file, likewise.
        macs: Multiply-accumulates per inference.
        latency: Time of an inference on the recipe's board, microseconds or text with a unit.
    """

    sram: int | None = None
    flash: int | None = None
    macs: int | None = None
    latency: int | None = None

    @field_validator("sram", "flash", mode="before")
    @classmethod
    def _bytes(cls, value: Any) -> Any:
        with with_key_path():
            return None if value is None else parse_bytes(value)

    @field_validator("latency", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        with with_key_path():
            return None if value is None else parse_microseconds(value)

    @field_validator("macs", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        with with_key_path():
            return None if value is None else parse_count(value)

    @model_validator(mode="after")
    def _not_empty(self) -> BudgetSection:
        with with_key_path():
            self.budget()
        return self

    def budget(self, board: str | None = None) -> Budget:
        """Return the limits as a budget.

        Args:
            board: The board that the network is meant for, for the shape of its kernels.

        Raises:
            InputError: All limits are None.
        """
        return Budget(self.sram, self.flash, self.macs, self.latency, board=board)


class DeploySection(Section):
    """What the deployment folder is made for.

    Attributes:
        board: A board of the catalogue, or None.
        calibration_samples: Training inputs that set the quantization ranges.
        format: Firmware projects to write besides: one format or a list, see
            :func:`mcuprune.deploy`.
        runtime: What runs the model there, ``c`` or ``tflm``.
    """

    board: BoardName | None = None
    calibration_samples: Positive = 200
    format: list[str] = []
    runtime: Literal["c", "tflm"] = "c"

    @field_validator("format", mode="before")
    @classmethod
    def _formats(cls, value: Any) -> Any:
        with with_key_path():
            is_text = isinstance(value, str) or (
                isinstance(value, list) and all(isinstance(name, str) for name in value)
            )
            return list(format_names(value)) if is_text else value


class ValidateSection(Section):
    """The board that the deployed model is simulated on, where the extra ``boards`` is installed.

    Attributes:
        board: A board of the catalogue with a Cortex-M, or None.
        simulator: ``cortexm``, ``qemu`` or ``renode``.
        inputs: Inputs of the test set to run there.
    """

    board: BoardName | None = None
    simulator: Literal["cortexm", "qemu", "renode"] = "cortexm"
    inputs: Positive = 20


class Recipe(Section):
    """A run from data to deployment folder.

    Attributes:
        title: One line for ``mcuprune recipes``.
        data: Data set.
        model: Network.
        training: Training of the pruned network.
        pruning: Schedule of the pruning.
        distillation: What it learns from the reference.
        quantization: How the pruned network becomes int8.
        reference: Training of the unpruned reference.
        budget: Upper limits.
        deploy: Deployment folder.
        validation: Simulated board, ``validate`` in a recipe, a name that pydantic takes itself.
        sweep: What ``mcuprune sweep`` varies; ``mcuprune run`` leaves it aside.
    """

    title: str
    data: DataSection
    model: ModelSection
    training: TrainingSection
    pruning: PruningSection
    distillation: DistillationSection = DistillationSection()
    quantization: QuantizationSection = QuantizationSection()
    reference: ReferenceSection
    budget: BudgetSection
    deploy: DeploySection = DeploySection()
    validation: ValidateSection = Field(default=ValidateSection(), alias="validate")
    sweep: SweepSection | None = None

    @property
    def float_epochs(self) -> int:
        """Epochs of the pruned network in float: all, or those before ``qat``."""
        is_aware = self.quantization.method == "qat"
        return self.training.epochs - (self.quantization.epochs if is_aware else 0)

    @property
    def needs_reference(self) -> bool:
        """Whether the pruned network's training takes anything from the trained reference."""
        return self.pruning.start_from == "reference" or self.distillation.share > 0

    @property
    def reference_training(self) -> TrainingSection:
        """Training of the reference, with its own seed if it has one."""
        seed = self.reference.seed
        return self.training.model_copy(update={} if seed is None else {"seed": seed})

    @property
    def pruned_training(self) -> TrainingSection:
        """Training of the pruned network, with its own learning rate if it has one."""
        rate = self.pruning.learning_rate
        return self.training.model_copy(update={} if rate is None else {"learning_rate": rate})

    @property
    def aware_learning_rate(self) -> float:
        """Learning rate at which ``qat`` starts."""
        training = self.pruned_training
        if self.quantization.learning_rate is not None:
            return self.quantization.learning_rate
        if training.schedule == "constant":
            return training.learning_rate / 10
        # Keras's CosineDecay.
        turn = math.pi * self.float_epochs / training.epochs
        return training.learning_rate * (1 + math.cos(turn)) / 2

    @model_validator(mode="after")
    def _window_fits(self) -> Recipe:
        start, end = self.pruning.start_epoch, self.pruning.end_epoch
        if not start < end <= self.float_epochs:
            limit = "training.epochs"
            if self.float_epochs < self.training.epochs:
                limit += f" less the {self.quantization.epochs} of quantization.epochs"
            raise ValueError(
                f"pruning runs from epoch {start} to {end} of {self.float_epochs}: "
                f"pruning.start_epoch must lie below pruning.end_epoch, and that no higher than "
                f"{limit}"
            )
        return self

    def scaled_to(self, epochs: int) -> dict[str, Any]:
        """Return the values with all training scaled to ``epochs``, the pruning window too."""
        factor = epochs / self.training.epochs
        aware = self.training.epochs - self.float_epochs
        aware = min(epochs - 1, max(1, round(aware * factor))) if aware else 0
        end = max(1, min(epochs - aware, round(self.pruning.end_epoch * factor)))
        start = max(0, min(end - 1, round(self.pruning.start_epoch * factor)))
        values = self.model_dump()
        values["training"]["epochs"] = epochs
        values["pruning"].update(start_epoch=start, end_epoch=end)
        if aware:
            values["quantization"]["epochs"] = aware
        values["reference"]["epochs"] = max(1, round(self.reference.epochs * factor))
        return values
