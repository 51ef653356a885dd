"""Holds the converted model against the Keras model and real TFLM against LiteRT."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.deployment.confusion import ConfusionCounts, confusion_counts
from mcuprune.deployment.value_ranges import (
    InputRange,
    Saturation,
    answers_classes,
    input_ranges,
    saturations,
)
from mcuprune.engines.base import ArenaUse, Array
from mcuprune.engines.compare import Agreement, compare_outputs
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import quantized_inputs
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import parse_tflite

# TFLM and LiteRT are compared on at least this many inputs, noise filling up what is missing.
COMPARED_INPUTS = 100
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Verification:
    """What the engines said about a converted model.

    Attributes:
        inputs: Number of real inputs given to Keras and LiteRT.
        litert_vs_keras: Share of them whose largest number stands at the same place in every
            output, 0 to 1; None for outputs of a single number, which have no largest.
        keras_accuracy: Accuracy of the Keras model on the test set, None without labels.
        int8_accuracy: Accuracy of the int8 model under LiteRT, None without labels.
        confusion: How often each class was taken for each other by both, None without labels or
            with too many classes.
        tflm_vs_litert: Byte-by-byte comparison of the two runtimes.
        arena: What TFLM used on a 64-bit host.
        golden_inputs: Quantized inputs of that comparison, an array for each input of the model.
        golden_outputs: TFLM's answers, an array for each output.
        engines: Names and versions of the runtimes.
        commonest_share: Share of the labels that are the commonest class, None without labels.
        input_ranges: How the inputs lie in the ranges of the converted model's inputs.
        saturations: How often its answers stand at the ends of theirs.
        answers_classes: Whether its first output is a softmax.
    """

    inputs: int
    litert_vs_keras: float | None
    keras_accuracy: float | None
    int8_accuracy: float | None
    tflm_vs_litert: Agreement
    arena: ArenaUse
    golden_inputs: tuple[Array, ...]
    golden_outputs: tuple[Array, ...]
    engines: tuple[str, ...]
    confusion: ConfusionCounts | None = None
    commonest_share: float | None = None
    input_ranges: tuple[InputRange, ...] = ()
    saturations: tuple[Saturation, ...] = ()
    answers_classes: bool = False


def verify(model: Any, tflite: bytes, inputs: Any, labels: Array | None = None) -> Verification:
    """Run the Keras model, LiteRT and TFLM on the same inputs.

    Args:
        model: The Keras model that was converted.
        tflite: What became of it.
        inputs: Real inputs, float, shape ``(n, ...)``; a list or tuple of such arrays for several
            inputs.
        labels: Their classes, shape ``(n,)``, if accuracy is wanted (of one output with two
            numbers or more).

    Raises:
        InputError: Inputs do not fit the model, or labels do not fit the inputs.
        EngineError: An engine refuses the model.
    """
    arrays = _fitting(model, inputs)
    classes = None if labels is None else _class_numbers(model, labels, len(arrays[0]))
    quantized = quantized_inputs(tflite, arrays)
    litert = LiteRT().run(tflite, quantized)
    keras_top1 = _keras_winners(model, arrays)
    int8_top1 = _top1(litert.all_outputs)
    golden_inputs = _filled_up(quantized)
    tflm = TFLM().run(tflite, golden_inputs)
    on_golden = LiteRT().run(tflite, golden_inputs)
    assert tflm.arena is not None
    graph = parse_tflite(tflite, model.name)
    return Verification(
        inputs=len(arrays[0]),
        litert_vs_keras=_share_equal(keras_top1, int8_top1),
        keras_accuracy=_share_equal(keras_top1, classes),
        int8_accuracy=_share_equal(int8_top1, classes),
        tflm_vs_litert=compare_outputs(tflm.all_outputs, on_golden.all_outputs),
        arena=tflm.arena,
        golden_inputs=golden_inputs,
        golden_outputs=tflm.all_outputs,
        engines=(litert.version, tflm.version),
        confusion=confusion_counts(classes, keras_top1, int8_top1, output_size(model)),
        commonest_share=_commonest_share(classes),
        input_ranges=input_ranges(tflite, graph, arrays),
        saturations=saturations(tflite, graph, litert.all_outputs),
        answers_classes=answers_classes(graph),
    )


def _commonest_share(classes: Array | None) -> float | None:
    if classes is None:
        return None
    return float(np.unique(classes, return_counts=True)[1].max() / len(classes))


def keras_accuracy(model: Any, inputs: Any, labels: Array) -> float | None:
    """Return the share of inputs that a Keras model classifies rightly, None for single outputs.

    Raises:
        InputError: Inputs do not fit the model, or labels do not fit the inputs.
    """
    arrays = _fitting(model, inputs)
    classes = _class_numbers(model, labels, len(arrays[0]))
    return _share_equal(_keras_winners(model, arrays), classes)


def output_size(model: Any) -> int:
    """Return how many numbers the first output of a Keras model has."""
    return math.prod(model.outputs[0].shape[1:])


def _fitting(model: Any, inputs: Any) -> tuple[Array, ...]:
    """Return one array for each of the model's inputs."""
    given = inputs if len(model.inputs) > 1 else [inputs]
    if not isinstance(given, list | tuple) or len(given) != len(model.inputs):
        raise InputError(
            f"model {model.name!r} has {len(model.inputs)} inputs: give the test inputs as a list "
            "with one array for each"
        )
    arrays = tuple(map(_fitting_array, given, model.inputs))
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise InputError(f"the test inputs hold {counts} samples: give equally many for each input")
    return arrays


def _fitting_array(values: Any, tensor: Any) -> Array:
    array = np.asarray(values, np.float32 if "float" in tensor.dtype else tensor.dtype)
    shape = tuple(tensor.shape[1:])
    if array.ndim == 0 or array.shape[1:] != shape or not len(array):
        wanted = ", ".join(map(str, ("n", *shape)))
        raise InputError(
            f"the test inputs have the shape {array.shape}, the model takes ({wanted}) for "
            f"{tensor.name!r} with n of at least 1: prepare them like the training inputs"
        )
    return array


def _class_numbers(model: Any, labels: Array, count: int) -> Array:
    if len(model.outputs) > 1:
        raise InputError(
            f"model {model.name!r} has {len(model.outputs)} outputs; accuracy is counted for "
            "models with one: leave the labels out"
        )
    classes = np.asarray(labels)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise InputError(
            f"the labels are {classes.dtype} of shape {classes.shape}, the inputs need class "
            f"numbers of shape ({count},): use argmax on one-hot labels"
        )
    outputs = output_size(model)
    if outputs > 1 and not 0 <= classes.min() <= classes.max() < outputs:
        raise InputError(
            f"the labels run from {classes.min()} to {classes.max()}, model {model.name!r} tells "
            f"{outputs} classes: number them 0 to {outputs - 1}"
        )
    return classes


def _keras_winners(model: Any, inputs: Sequence[Array]) -> Array | None:
    # Called directly: predict() would compile a function and may warn about doing so.
    from keras import ops, tree

    batches = []
    for start in range(0, len(inputs[0]), _BATCH):
        batch = [array[start : start + _BATCH] for array in inputs]
        made = tree.flatten(model(batch if len(batch) > 1 else batch[0], training=False))
        batches.append([ops.convert_to_numpy(output) for output in made])
    return _top1([np.concatenate(parts) for parts in zip(*batches, strict=True)])


def _top1(outputs: Sequence[Array]) -> Array | None:
    """Return the place of the largest number: shape ``(n, outputs with more than one number)``."""
    flat = [output.reshape(len(output), -1) for output in outputs]
    winners = [output.argmax(axis=1) for output in flat if output.shape[1] > 1]
    return np.stack(winners, axis=1) if winners else None


def _share_equal(a: Array | None, b: Array | None) -> float | None:
    if a is None or b is None:
        return None
    return float(np.mean((a.reshape(len(a), -1) == b.reshape(len(b), -1)).all(axis=1)))


def _filled_up(quantized: Sequence[Array]) -> tuple[Array, ...]:
    """Return the first inputs and noise; integers, which may be places in a table, are repeated."""
    random = np.random.default_rng(0)
    filled = []
    for array in quantized:
        chosen = array[:COMPARED_INPUTS]
        missing = COMPARED_INPUTS - len(chosen)
        more = (
            random.integers(-128, 128, (missing, *array.shape[1:])).astype(np.int8)
            if array.dtype == np.int8
            else np.resize(chosen, (missing, *array.shape[1:]))
        )
        filled.append(np.concatenate([chosen, more]))
    return tuple(filled)
