"""Holds the converted model against the Keras model and real TFLM against LiteRT."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mcuprune.engines.base import Array, ArenaUse
from mcuprune.engines.compare import Agreement, compare_outputs
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import input_quantization
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError

# TFLM and LiteRT are compared on at least this many inputs, noise filling up what is missing.
COMPARED_INPUTS = 100


@dataclasses.dataclass(frozen=True)
class TestSet:
    """Inputs with their classes, unseen in training.

    Attributes:
        inputs: As the Keras model takes them, shape ``(n, ...)``.
        labels: Class numbers, shape ``(n,)``.
    """

    __test__ = False  # no test class, whatever pytest reads into the name

    inputs: Array
    labels: Array


@dataclasses.dataclass(frozen=True)
class Verification:
    """What the engines said about a converted model.

    Attributes:
        inputs: Number of real inputs given to Keras and LiteRT.
        litert_vs_keras: Share of them whose largest output stands at the same place, 0 to 1.
        keras_accuracy: Accuracy of the Keras model on the test set, None without labels.
        int8_accuracy: Accuracy of the int8 model under LiteRT, None without labels.
        tflm_vs_litert: Byte-by-byte comparison of the two runtimes.
        arena: What TFLM used on a 64-bit host.
        golden_inputs: Quantized inputs of that comparison, int8.
        golden_outputs: TFLM's answers, int8.
        engines: Names and versions of the runtimes.
    """

    inputs: int
    litert_vs_keras: float
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
        labels: Their classes, shape ``(n,)``, if accuracy is wanted.

    Raises:
        InputError: Labels and inputs do not match.
        EngineError: An engine refuses the model.
    """
    inputs = np.asarray(inputs, np.float32)
    classes = None if labels is None else _classes(labels, len(inputs))
    quantized = input_quantization(tflite).quantize(inputs)
    litert = LiteRT().run(tflite, quantized)
    keras_top1 = _top1(np.asarray(model.predict(inputs, verbose=0)))
    int8_top1 = _top1(litert.outputs)
    golden_inputs = _filled_up(quantized)
    tflm = TFLM().run(tflite, golden_inputs)
    assert tflm.arena is not None
    return Verification(
        inputs=len(inputs),
        litert_vs_keras=float(np.mean(keras_top1 == int8_top1)),
        keras_accuracy=_accuracy(keras_top1, classes),
        int8_accuracy=_accuracy(int8_top1, classes),
        tflm_vs_litert=compare_outputs(tflm.outputs, LiteRT().run(tflite, golden_inputs).outputs),
        arena=tflm.arena,
        golden_inputs=golden_inputs,
        golden_outputs=tflm.outputs,
        engines=(litert.version, tflm.version),
    )


def _classes(labels: Array, count: int) -> Array:
    classes = np.asarray(labels)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise InputError(
            f"the labels are {classes.dtype} of shape {classes.shape}, the inputs need class "
            f"numbers of shape ({count},): use argmax on one-hot labels"
        )
    return classes


def _top1(outputs: Array) -> Array:
    winners: Array = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return winners


def _accuracy(top1: Array, classes: Array | None) -> float | None:
    return None if classes is None else float(np.mean(top1 == classes))


def _filled_up(quantized: Array) -> Array:
    chosen = quantized[:COMPARED_INPUTS]
    missing = COMPARED_INPUTS - len(chosen)
    noise = np.random.default_rng(0).integers(-128, 128, (missing, *quantized.shape[1:]))
    return np.concatenate([chosen, noise.astype(quantized.dtype)])
