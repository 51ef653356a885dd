"""Targets of a training that say what a trained network makes of each input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.errors import InputError

SHARE, TEMPERATURE = 0.9, 3.0
_BATCH = 256
# Below any probability that float32 gives a class.
_LEAST = 1e-30


def soft_targets(
    teacher: Any,
    inputs: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    *,
    share: float = SHARE,
    temperature: float = TEMPERATURE,
) -> npt.NDArray[np.float32]:
    """Mix one-hot targets with the answers of a trained network, to train a smaller one on.

    A target is ``(1 - share) * one_hot(label) + share * softmax(logits / temperature)`` with the
    teacher's logits: it tells which classes an input is like. After Hinton, Vinyals and Dean,
    "Distilling the Knowledge in a Neural Network" (arXiv 1503.02531); there the small network's
    logits are divided by the temperature too, here not, so that any training loop can use the
    targets, with ``keras.losses.CategoricalCrossentropy``.

    Args:
        teacher: A trained ``keras.Model`` of one output, shape ``(n, classes)``: logits, or
            probabilities of a softmax in its last layer.
        inputs: Training inputs, shape ``(n, ...)``.
        labels: Their classes, integers of shape ``(n,)`` from 0.
        share: Of the teacher in each target, 0 to 1.
        temperature: Over 0; higher ones bring out what the teacher thinks of the other classes.

    Returns:
        Shape ``(n, classes)``; each row sums to 1.

    Raises:
        InputError: A number out of its range, labels that do not fit, or a teacher that does not
            classify or answers NaN.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError(f"share is {share}: give 0 (labels alone) to 1 (the teacher alone)")
    if not 0.0 < temperature < math.inf:
        raise InputError(f"temperature is {temperature}: give a number over 0, such as 3")
    answers = np.asarray(teacher.predict(inputs, batch_size=_BATCH, verbose=0), np.float64)
    if answers.ndim != 2 or answers.shape[1] < 2:
        raise InputError(
            f"the teacher {teacher.name!r} answers with shape {answers.shape}: one number for "
            "each of at least two classes is needed"
        )
    if not np.isfinite(answers).all():
        raise InputError(f"the teacher {teacher.name!r} answers NaN or infinity: train it anew")
    classes = answers.shape[1]
    numbers = np.asarray(labels)
    fits = numbers.shape == answers.shape[:1] and numbers.dtype.kind in "iu"
    if not fits or (numbers.size and not 0 <= numbers.min() <= numbers.max() < classes):
        raise InputError(
            f"the labels are {numbers.dtype} of shape {numbers.shape}; {len(answers)} class "
            f"numbers from 0 to {classes - 1} are needed"
        )
    logits = answers if gives_logits(teacher) else np.log(np.maximum(answers, _LEAST))
    scaled = logits / temperature
    soft = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    soft /= soft.sum(axis=1, keepdims=True)
    targets: npt.NDArray[np.float32] = (
        (1.0 - share) * np.eye(classes)[numbers] + share * soft
    ).astype(np.float32)
    return targets


def gives_logits(model: Any) -> bool:
    """Tell whether a classifier's last layer leaves its numbers as they are, without a softmax."""
    import keras

    # A layer that only rounds the outputs has no activation.
    linear = keras.activations.linear
    return getattr(model.layers[-1], "activation", linear) is linear
