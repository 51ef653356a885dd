"""How often each class is taken for each other, in float and in int8."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.errors import InputError

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

    def to_json(self, class_names: Sequence[str] = ()) -> dict[str, Any]:
        """Return the matrices as lists, under ``float`` and ``int8``.

        Args:
            class_names: What the classes are called, under ``classes``; null if empty.
        """
        return {
            "classes": list(class_names) or None,
            "float": self.in_float.tolist(),
            "int8": self.in_int8.tolist(),
        }


def checked_class_names(names: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    """Return the names of classes in the order of their numbers; none if none are given.

    Args:
        names: One per class, or None.
        classes: How many there are.

    Raises:
        InputError: There are more or fewer, or one is no text.

    >>> checked_class_names(["rest", "shake"], 2), checked_class_names(None, 2)
    (('rest', 'shake'), ())
    """
    if names is None:
        return ()
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"class_names is {names!r}, expected a list of texts: one per class, in the order of "
            "the class numbers"
        )
    if len(names) != classes:
        raise InputError(
            f"class_names has {len(names)} names for {classes} classes: give one per class, in "
            "the order of the class numbers"
        )
    return tuple(names)


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
