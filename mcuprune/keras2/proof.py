"""Two models on the same random input, and the first layer that computes something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mcuprune.errors import UnsupportedModelError
from mcuprune.keras2.calls import Rebuilt, filled, key_of

# Largest difference over the largest magnitude of an output.
TOLERANCE = 1e-5
HALF_PRECISION_TOLERANCE = 2e-2
# Samples, and the size taken for every dimension that a model leaves open.
_SAMPLES = 2
_OPEN_SIZE = 96


def require_equal_outputs(rebuilt: Rebuilt, tolerance: float | None = None) -> None:
    """Run both models on random input and compare them.

    First every layer is held against its counterpart on the same input, then the models as a
    whole: a saturated softmax at the end hides what differs before it.

    Args:
        rebuilt: The models and the calls that lead to their outputs.
        tolerance: Largest allowed difference, over the largest magnitude of the output.

    Raises:
        UnsupportedModelError: They differ, the message names the first layer that does; or there
            is no finite number to compare.
    """
    tolerance = _tolerance(rebuilt.old) if tolerance is None else tolerance
    inputs, expected = _random_run(rebuilt)
    _require_equal_layers(rebuilt, inputs, tolerance)
    found = _outputs(rebuilt.new, rebuilt, inputs)
    difference = max(_difference(a, b) for a, b in zip(expected, found, strict=True))
    if difference > tolerance:
        raise UnsupportedModelError(
            f"the layers of model {rebuilt.old.name!r} agree one by one, but in Keras 3 its "
            f"outputs differ by {difference:.1e} of their largest value, {tolerance:.0e} is "
            "allowed: rounding adds up. Allow it with tolerance="
        )


def _random_run(rebuilt: Rebuilt) -> tuple[list[Any], list[Any]]:
    """Return random input on which the Keras 2 model puts out finite numbers, and its output."""
    generator = np.random.default_rng(0)
    for draw in (generator.standard_normal, generator.random):  # logarithms want it positive
        inputs = [_random_input(tensor, draw) for tensor in rebuilt.old.inputs]
        expected = _outputs(rebuilt.old, rebuilt, inputs)
        if all(np.isfinite(_array(output)).any() for output in expected):
            return inputs, expected
    raise UnsupportedModelError(
        f"model {rebuilt.old.name!r} puts out no finite number on random input, so there is "
        "nothing to compare: check its weights for NaN"
    )


def _outputs(model: Any, rebuilt: Rebuilt, inputs: list[Any]) -> list[Any]:
    import keras
    import tensorflow as tf

    structure = tf.nest.pack_sequence_as(rebuilt.old._nested_inputs, inputs)
    return list(keras.tree.flatten(model(structure, training=False)))


def _require_equal_layers(rebuilt: Rebuilt, inputs: list[Any], tolerance: float) -> None:
    """Hold each layer against its counterpart on what the Keras 2 layers before it put out."""
    import keras

    values = dict(zip(map(key_of, rebuilt.old.inputs), inputs, strict=True))
    for call in rebuilt.calls:
        if call.inside is not None:
            inner = keras.tree.flatten(filled(call.args, values))
            _require_equal_layers(call.inside, inner, tolerance)
        expected = call.run(call.old, values, **_inference(call.old))
        found = call.run(call.new, values, **_inference(call.new))
        difference = max(_difference(expected[key], found[key]) for key in expected)
        if difference > tolerance:
            raise UnsupportedModelError(
                f"layer {call.old.name!r} ({type(call.old).__name__}) computes something else in "
                f"Keras 3: on random input its output differs by {difference:.1e} of its largest "
                f"value, {tolerance:.0e} is allowed. Replace it, or give a Keras 3 class that "
                "computes the same in custom_objects="
            )
        values.update(expected)


def _inference(function: Any) -> dict[str, bool]:
    """Return what tells a layer that it does not train, which random layers else believe."""
    call = getattr(function, "call", None)
    takes_it = call is not None and "training" in inspect.signature(call).parameters
    return {"training": False} if takes_it else {}


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


def _random_input(tensor: Any, draw: Callable[[tuple[int, ...]], Any]) -> Any:
    import tensorflow as tf

    batch, *sizes = tensor.shape
    shape = (batch or _SAMPLES, *(size or _OPEN_SIZE for size in sizes))
    if tensor.dtype.is_floating:
        return tf.constant(draw(shape), tensor.dtype)
    if tensor.dtype.is_integer or tensor.dtype.is_bool:
        # 0 and 1 are valid indices of every embedding.
        return tf.cast(np.random.default_rng(0).integers(0, 2, shape), tensor.dtype)
    raise UnsupportedModelError(
        f"input {tensor.name!r} holds {tensor.dtype.name}: give the model numbers"
    )
