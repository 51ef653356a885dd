"""Calibration data: real inputs from which the converter learns the range of every tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.errors import InputError

# More samples cost conversion time and hardly move a range (minimum and maximum per tensor).
MAX_SAMPLES = 500


def calibration_samples(calibration: Any, input_shape: tuple[int, ...]) -> Array:
    """Check calibration data and choose the samples to use.

    Args:
        calibration: Inputs as the model was trained on, shape ``(n, *input_shape)``.
        input_shape: The model's input shape without the batch.

    Returns:
        float32, shape ``(k, *input_shape)``: all samples, or :data:`MAX_SAMPLES` spread evenly
        over them.

    Raises:
        InputError: Wrong shape, no samples, not numbers, NaN or infinite, or all the same value.
    """
    samples = np.asarray(calibration)
    if samples.dtype.kind not in "fiub":
        raise InputError(
            f"the calibration data are of type {samples.dtype}: give an array of numbers"
        )
    if samples.ndim == 0 or samples.shape[1:] != input_shape or not len(samples):
        wanted = ", ".join(map(str, ("n", *input_shape)))
        raise InputError(
            f"the calibration data have the shape {samples.shape}, the model takes ({wanted}) "
            "with n of at least 1: pass a slice of the training inputs, such as x_train[:200]"
        )
    samples = samples[_spread(len(samples))].astype(np.float32)
    _require_sound(samples)
    return samples


def _spread(count: int) -> Array:
    chosen = np.linspace(0, count - 1, min(count, MAX_SAMPLES))
    return np.round(chosen).astype(np.int64)


def _require_sound(samples: Array) -> None:
    broken = samples.size - int(np.isfinite(samples).sum())
    if broken:
        raise InputError(
            f"{broken:,} of {samples.size:,} calibration values are NaN or infinite: clean the "
            "data, ranges cannot be learned from them"
        )
    if samples.min() == samples.max():
        raise InputError(
            f"every calibration value is {samples.flat[0]:g}: give real inputs, the quantization "
            "ranges are learned from them"
        )
