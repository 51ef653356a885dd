"""Calibration data: real inputs from which the converter learns the range of every tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.errors import InputError
from mcuprune.ir.keras_models import functional

# More samples cost conversion time and hardly move a range (minimum and maximum per tensor).
MAX_SAMPLES = 500


def calibration_arrays(calibration: Any, model: Any) -> tuple[Array, ...]:
    """Check calibration data and choose the samples to use.

    Args:
        calibration: Inputs as the model was trained on, shape ``(n, ...)``. For several inputs a
            list or tuple of such arrays in the order of ``model.inputs``, equally long.
        model: A built functional or Sequential ``keras.Model``.

    Returns:
        An array for each input, shape ``(k, ...)``, as :func:`calibration_samples` returns it.

    Raises:
        InputError: Wrong number of arrays, unequal lengths, or unsound data.
    """
    inputs = functional(model).inputs
    arrays = [calibration] if len(inputs) == 1 else _several(calibration, inputs, model.name)
    chosen = tuple(
        calibration_samples(array, tuple(tensor.shape[1:]), _stored_type(tensor))
        for array, tensor in zip(arrays, inputs, strict=True)
    )
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise InputError(f"the calibration data hold {counts} samples: give the same ones for each")
    return chosen


def _several(calibration: Any, inputs: Sequence[Any], name: str) -> Sequence[Any]:
    if isinstance(calibration, list | tuple) and len(calibration) == len(inputs):
        return calibration
    is_sequence = isinstance(calibration, list | tuple)
    found = f"{len(calibration)} arrays" if is_sequence else type(calibration).__name__
    raise InputError(
        f"model {name!r} has {len(inputs)} inputs, the calibration data are {found}: give a list "
        f"with one array for each, in the order {', '.join(tensor.name for tensor in inputs)}"
    )


def _stored_type(tensor: Any) -> str:
    """Return the type in which samples are given to the converter: float32, or the integers'."""
    return "float32" if "float" in tensor.dtype else str(tensor.dtype)


def calibration_samples(
    calibration: Any, input_shape: tuple[int, ...], dtype: str = "float32"
) -> Array:
    """Check the calibration data of one input and choose the samples to use.

    Args:
        calibration: Inputs as the model was trained on, shape ``(n, *input_shape)``.
        input_shape: The input's shape without the batch.
        dtype: What the model takes: ``"float32"``, or integers.

    Returns:
        Shape ``(k, *input_shape)``: all samples, or :data:`MAX_SAMPLES` spread evenly over them.

    Raises:
        InputError: Wrong shape, no samples, not numbers; for real inputs also NaN or infinite,
            or all the same value.
    """
    samples = np.asarray(calibration)
    if samples.dtype.kind not in "fiub":
        is_array = isinstance(calibration, np.ndarray)
        found = samples.dtype if is_array else type(calibration).__name__
        raise InputError(
            f"the calibration data are of type {found}: give an array of numbers, such as "
            "x_train[:200]; of a tf.data.Dataset some batches, joined by np.concatenate"
        )
    if samples.ndim == 0 or samples.shape[1:] != input_shape or not len(samples):
        wanted = ", ".join(map(str, ("n", *input_shape)))
        raise InputError(
            f"the calibration data have the shape {samples.shape}, the model takes ({wanted}) "
            "with n of at least 1: pass a slice of the training inputs, such as x_train[:200]"
        )
    samples = samples[_spread(len(samples))].astype(dtype)
    if dtype == "float32":
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
