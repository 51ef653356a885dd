"""Two models on the same random input, and the first layer that computes something else."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from mcuprune.errors import UnsupportedModelError
from mcuprune.keras2.calls import Call, Key, Rebuilt, filled, key_of

# Largest difference over the largest magnitude of an output.
TOLERANCE = 1e-5
HALF_PRECISION_TOLERANCE = 2e-2
# Samples, and the size taken for every dimension that a model leaves open.
_SAMPLES = 2
_OPEN_SIZE = 96


def require_equal_outputs(rebuilt: Rebuilt, tolerance: float | None = None) -> None:
    """Run both models on random input and compare their outputs.

    Args:
        rebuilt: The models and the calls that lead to their outputs.
        tolerance: Largest allowed difference, over the largest magnitude of the output.

    Raises:
        UnsupportedModelError: They differ; the message names the first layer that does.
    """
    import keras

    tolerance = _tolerance(rebuilt.old) if tolerance is None else tolerance
    inputs = [_random_input(tensor) for tensor in rebuilt.old.inputs]
    expected = keras.tree.flatten(rebuilt.old(_as_structure(rebuilt, inputs), training=False))
    found = keras.tree.flatten(rebuilt.new(_as_structure(rebuilt, inputs), training=False))
    difference = max(_difference(a, b) for a, b in zip(expected, found, strict=True))
    if difference <= tolerance:
        return
    culprit = _first_difference(rebuilt, inputs, tolerance)
    where = "no single layer differs that much, their rounding adds up: allow it with tolerance="
    if culprit is not None:
        where = (
            f"the first layer that differs is {culprit}: replace it, or give a Keras 3 class that "
            "computes the same in custom_objects="
        )
    raise UnsupportedModelError(
        f"model {rebuilt.old.name!r} computes something else in Keras 3: on random input its "
        f"outputs differ by {difference:.1e} of their largest value, {tolerance:.0e} is allowed; "
        f"{where}"
    )


def _first_difference(rebuilt: Rebuilt, inputs: list[Any], tolerance: float) -> str | None:
    """Return the first layer that differs from its counterpart on the same input."""
    values = {
        key_of(tensor): value for tensor, value in zip(rebuilt.old.inputs, inputs, strict=True)
    }
    for call in rebuilt.calls:
        expected = call.run(call.old, values, **_inference(call.old))
        found = call.run(call.new, values, **_inference(call.new))
        if max(_difference(expected[key], found[key]) for key in expected) > tolerance:
            return _inside(call, values, tolerance)
        values.update(expected)
    return None


def _inference(function: Any) -> dict[str, bool]:
    """Return what tells a layer that it does not train, which random layers else believe."""
    call = getattr(function, "call", None)
    takes_it = call is not None and "training" in inspect.signature(call).parameters
    return {"training": False} if takes_it else {}


def _inside(call: Call, values: dict[Key, Any], tolerance: float) -> str:
    """Name the layer of a call, or the one inside where the layer is a model."""
    import keras

    title = f"{call.old.name!r} ({type(call.old).__name__})"
    if call.inside is None:
        return title
    inputs = keras.tree.flatten(filled(call.args, values))
    return _first_difference(call.inside, inputs, tolerance) or title


def _difference(expected: Any, found: Any) -> float:
    """Return the largest difference over the largest magnitude; infinite for other shapes."""
    a, b = _array(expected), _array(found)
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    finite = np.isfinite(a)
    if not finite.any():
        return 0.0
    largest = float(np.max(np.abs(a[finite])))
    return float(np.max(np.abs(a[finite] - b[finite]))) / (largest or 1.0)


def _array(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(value).astype(np.float64)


def _tolerance(model: Any) -> float:
    policies = {layer.compute_dtype for layer in model._flatten_layers()}
    half = policies & {"float16", "bfloat16"}
    return HALF_PRECISION_TOLERANCE if half else TOLERANCE


def _random_input(tensor: Any) -> Any:
    import tensorflow as tf

    generator = np.random.default_rng(0)
    batch, *sizes = tensor.shape
    shape = (batch or _SAMPLES, *(size or _OPEN_SIZE for size in sizes))
    if tensor.dtype.is_floating:
        return tf.constant(generator.standard_normal(shape), tensor.dtype)
    if tensor.dtype.is_integer or tensor.dtype.is_bool:
        # 0 and 1 are valid indices of every embedding.
        return tf.cast(generator.integers(0, 2, shape), tensor.dtype)
    raise UnsupportedModelError(
        f"input {tensor.name!r} holds {tensor.dtype.name}: give the model numbers"
    )


def _as_structure(rebuilt: Rebuilt, inputs: list[Any]) -> Any:
    import tensorflow as tf

    return tf.nest.pack_sequence_as(rebuilt.old._nested_inputs, inputs)
