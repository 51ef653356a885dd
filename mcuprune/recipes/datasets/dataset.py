"""A data set: arrays and labels, split three ways and checked."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from mcuprune.deployment.confusion import checked_class_names
from mcuprune.errors import InputError

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

PARTS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True)
class Normalisation:
    """What makes inputs of features: ``(feature - mean) / deviation``.

    Attributes:
        mean: Of each coefficient, the last axis of the features.
        deviation: Of each coefficient.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Inputs and labels of a classification task.

    Attributes:
        x_train: Training inputs, float32 ``(n, *input_shape)``.
        y_train: Training labels, int64 ``(n,)`` in ``[0, classes)``.
        x_val: Validation inputs, likewise; no part of training or test.
        y_val: Validation labels.
        x_test: Test inputs, likewise.
        y_test: Test labels.
        classes: Number of classes.
        input_shape: Shape of one input, without the batch.
        class_names: What the classes are called, in the order of their numbers; empty if unknown.
        normalisation: What firmware does to its features too; None if inputs are used as they come.

    Raises:
        InputError: Inputs and labels differ in number, an input has another shape, a label is
            outside the classes, a part is empty, or there are more or fewer names than classes.
    """

    x_train: Floats
    y_train: Labels
    x_val: Floats
    y_val: Labels
    x_test: Floats
    y_test: Labels
    classes: int
    input_shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    normalisation: Normalisation | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            inputs, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            check_labelled(inputs, labels, part, self.input_shape, self.classes)
        checked_class_names(self.class_names or None, self.classes)


def check_labelled(
    inputs: npt.NDArray[np.generic],
    labels: npt.NDArray[np.generic],
    part: str,
    input_shape: tuple[int, ...],
    classes: int,
) -> None:
    """Check that inputs and labels belong together.

    Args:
        inputs: ``(n, *input_shape)``.
        labels: Whole numbers, ``(n,)``.
        part: What the arrays are called in the message (``"train"``).
        input_shape: Shape of one input.
        classes: Labels run from 0 to ``classes - 1``.

    Raises:
        InputError: They do not match; says what was found and what is expected.
    """
    if inputs.shape[1:] != input_shape:
        raise InputError(
            f"the {part} inputs have the shape {inputs.shape}, expected (n, "
            f"{', '.join(map(str, input_shape))}): reshape them before loading"
        )
    if labels.ndim != 1 or len(labels) != len(inputs):
        raise InputError(
            f"{len(inputs)} {part} inputs but labels of shape {labels.shape}: give one whole "
            "number per input"
        )
    if not len(labels):
        raise InputError(f"the {part} part is empty: give at least one input")
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"the {part} labels are {labels.dtype}, expected whole numbers from 0 to {classes - 1}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"the {part} labels run from {labels.min()} to {labels.max()}, expected 0 to "
            f"{classes - 1} for {classes} classes"
        )
