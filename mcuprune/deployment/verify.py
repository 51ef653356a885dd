"""Holds the converted model against the Keras model and real TFLM against LiteRT."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mcuprune.engines.base import ArenaUse, Array
from mcuprune.engines.compare import Agreement, compare_outputs
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import input_quantization
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError

# TFLM and LiteRT are compared on at least this many inputs, noise filling up what is missing.
COMPARED_INPUTS = 100
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Verification:
    """What the engines said about a converted model.

    Attributes:
        inputs: Number of real inputs given to Keras and LiteRT.
        litert_vs_keras: Share of them whose largest output stands at the same place, 0 to 1; None
            for a model with a single output, which has no largest.
        keras_accuracy: Accuracy of the Keras model on the test set, None without labels.
        int8_accuracy: Accuracy of the int8 model under LiteRT, None without labels.
        tflm_vs_litert: Byte-by-byte comparison of the two runtimes.
        arena: What TFLM used on a 64-bit host.
        golden_inputs: Quantized inputs of that comparison, int8.
        golden_outputs: TFLM's answers, int8.
        engines: Names and versions of the runtimes.
    """

    inputs: int
    litert_vs_keras: float | None
    keras_accuracy: float | None
    int8_accuracy: float | None
    tflm_vs_litert: Agreement
    arena: ArenaUse
    golden_inputs: Array
    golden_outputs: Array
    engines: tuple[str, ...]


def verify(model: Any, tflite: bytes, inputs: Array, labels: Array | None = None) -> Verification:
    """Run the Keras model, LiteRT and TFLM on the same inputs.

    Args:
        model: The Keras model that was converted.
        tflite: What became of it.
        inputs: Real inputs, float, shape ``(n, ...)``.
        labels: Their classes, shape ``(n,)``, if accuracy is wanted (of two outputs or more).

    Raises:
        InputError: Inputs do not fit the model, or labels do not fit the inputs.
        EngineError: An engine refuses the model.
    """
    inputs = _fitting(model, inputs)
    classes = None if labels is None else _class_numbers(model, labels, len(inputs))
    quantized = input_quantization(tflite).quantize(inputs)
    litert = LiteRT().run(tflite, quantized)
    keras_top1 = _keras_winners(model, inputs)
    int8_top1 = _top1(litert.outputs)
    golden_inputs = _filled_up(quantized)
    tflm = TFLM().run(tflite, golden_inputs)
    assert tflm.arena is not None
    return Verification(
        inputs=len(inputs),
        litert_vs_keras=_share_equal(keras_top1, int8_top1),
        keras_accuracy=_share_equal(keras_top1, classes),
        int8_accuracy=_share_equal(int8_top1, classes),
        tflm_vs_litert=compare_outputs(tflm.outputs, LiteRT().run(tflite, golden_inputs).outputs),
        arena=tflm.arena,
        golden_inputs=golden_inputs,
        golden_outputs=tflm.outputs,
        engines=(litert.version, tflm.version),
    )


def keras_accuracy(model: Any, inputs: Array, labels: Array) -> float | None:
    """Return the share of inputs that a Keras model classifies rightly, None for single outputs.

    Raises:
        InputError: Inputs do not fit the model, or labels do not fit the inputs.
    """
    inputs = _fitting(model, inputs)
    return _share_equal(_keras_winners(model, inputs), _class_numbers(model, labels, len(inputs)))


def _fitting(model: Any, inputs: Array) -> Array:
    values = np.asarray(inputs, np.float32)
    shape = tuple(model.input_shape[1:])
    if values.ndim == 0 or values.shape[1:] != shape or not len(values):
        wanted = ", ".join(map(str, ("n", *shape)))
        raise InputError(
            f"the test inputs have the shape {values.shape}, model {model.name!r} takes ({wanted}) "
            "with n of at least 1: prepare them like the training inputs"
        )
    return values


def _class_numbers(model: Any, labels: Array, count: int) -> Array:
    classes = np.asarray(labels)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise InputError(
            f"the labels are {classes.dtype} of shape {classes.shape}, the inputs need class "
            f"numbers of shape ({count},): use argmax on one-hot labels"
        )
    outputs = math.prod(model.output_shape[1:])
    if outputs > 1 and not 0 <= classes.min() <= classes.max() < outputs:
        raise InputError(
            f"the labels run from {classes.min()} to {classes.max()}, model {model.name!r} tells "
            f"{outputs} classes: number them 0 to {outputs - 1}"
        )
    return classes


def _keras_winners(model: Any, inputs: Array) -> Array | None:
    # Called directly: predict() would compile a function and may warn about doing so.
    from keras import ops

    starts = range(0, len(inputs), _BATCH)
    batches = [model(inputs[start : start + _BATCH], training=False) for start in starts]
    return _top1(np.concatenate([ops.convert_to_numpy(batch) for batch in batches]))


def _top1(outputs: Array) -> Array | None:
    flat = outputs.reshape(len(outputs), -1)
    return flat.argmax(axis=1) if flat.shape[1] > 1 else None


def _share_equal(a: Array | None, b: Array | None) -> float | None:
    return None if a is None or b is None else float(np.mean(a == b))


def _filled_up(quantized: Array) -> Array:
    chosen = quantized[:COMPARED_INPUTS]
    missing = COMPARED_INPUTS - len(chosen)
    noise = np.random.default_rng(0).integers(-128, 128, (missing, *quantized.shape[1:]))
    return np.concatenate([chosen, noise.astype(quantized.dtype)])
