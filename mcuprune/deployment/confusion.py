"""How often each class is taken for each other, in float and in int8."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mcuprune.engines.base import Array

# A report with more would hold mostly zeros.
MOST_CLASSES = 100


@dataclasses.dataclass(frozen=True)
class ConfusionCounts:
    """Two confusion matrices over the same test set.

    Attributes:
        in_float: Of the Keras model, int64 ``(classes, classes)``: a row per true class, a column
            per answer.
        in_int8: Of the converted model under LiteRT, likewise.
    """

    in_float: Array
    in_int8: Array

    def to_json(self) -> dict[str, Any]:
        """Return the matrices as lists, under ``float`` and ``int8``."""
        return {"float": self.in_float.tolist(), "int8": self.in_int8.tolist()}


def confusion_counts(
    labels: Array | None, in_float: Array | None, in_int8: Array | None, classes: int
) -> ConfusionCounts | None:
    """Count answers by true class.

    Args:
        labels: True classes, shape ``(n,)``; None if unknown.
        in_float: Answers of the Keras model, shape ``(n, 1)``; None if it has none.
        in_int8: Answers of the int8 model, likewise.
        classes: How many there are.

    Returns:
        None where something is unknown, or there are more than :data:`MOST_CLASSES` classes.

    >>> answers = np.array([[1], [1]])
    >>> confusion_counts(np.array([0, 1]), answers, answers, 2).in_float.tolist()
    [[0, 1], [0, 1]]
    """
    if labels is None or in_float is None or in_int8 is None or classes > MOST_CLASSES:
        return None
    return ConfusionCounts(
        _counted(labels, in_float, classes),
        _counted(labels, in_int8, classes),
    )


def _counted(labels: Array, answers: Array, classes: int) -> Array:
    flat = labels.astype(np.int64) * classes + answers.reshape(-1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)
