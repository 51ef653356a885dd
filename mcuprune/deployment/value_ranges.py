"""How real numbers lie in the ranges that a model's int8 inputs and outputs have for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.engines.quantization import tensor_quantization
from mcuprune.ir.graph import Graph

# Their range is the same whatever the data are, and its ends are usual answers.
_FIXED_RANGE = frozenset({"SOFTMAX", "LOGISTIC", "TANH", "LOG_SOFTMAX", "L2_NORMALIZATION"})


@dataclasses.dataclass(frozen=True)
class InputRange:
    """What an int8 input can hold, and what it was given.

    Attributes:
        name: Of the tensor.
        low: Smallest real number that it holds.
        high: Largest.
        least: Smallest number that was given.
        most: Largest.
        clipped_share: Share of the numbers that lie outside by more than half a step, 0 to 1.
    """

    name: str
    low: float
    high: float
    least: float
    most: float
    clipped_share: float

    @property
    def used_share(self) -> float:
        """Which part of the range lies between the numbers given, 0 to 1."""
        within = min(self.most, self.high) - max(self.least, self.low)
        return max(0.0, within / (self.high - self.low))


@dataclasses.dataclass(frozen=True)
class Saturation:
    """How often an int8 output stands at an end of its range that the data have set.

    Attributes:
        name: Of the tensor.
        share: Share of the answers there, 0 to 1, but for the two that set the range.
    """

    name: str
    share: float


def input_ranges(tflite: bytes, graph: Graph, inputs: Sequence[Array]) -> tuple[InputRange, ...]:
    """Hold real inputs against the ranges of a model's inputs; integer inputs have none.

    Args:
        tflite: The converted model.
        graph: Its graph.
        inputs: Real numbers, an array of shape ``(n, ...)`` for each input.
    """
    pairs = zip(graph.inputs, inputs, strict=True)
    return tuple(
        _input_range(tflite, graph, index, values)
        for index, values in pairs
        if graph.tensors[index].dtype == "int8"
    )


def _input_range(tflite: bytes, graph: Graph, index: int, values: Array) -> InputRange:
    quantization = tensor_quantization(tflite, index)
    ends = quantization.dequantize(np.array([-128, 127], np.int8))
    low, high = float(ends[0]), float(ends[1])
    margin = quantization.scale / 2
    is_clipped = (values < low - margin) | (values > high + margin)
    return InputRange(
        graph.tensors[index].name,
        low,
        high,
        float(values.min()),
        float(values.max()),
        float(np.mean(is_clipped)),
    )


def saturations(tflite: bytes, graph: Graph, outputs: Sequence[Array]) -> tuple[Saturation, ...]:
    """Return how often outputs stand at an end of their range.

    Ends that the operator sets are left out: of a softmax or a sigmoid, and 0 after a ReLU.

    Args:
        tflite: The converted model.
        graph: Its graph.
        outputs: What it answered, int8, an array of shape ``(n, ...)`` for each output.
    """
    found = []
    for index, stored in zip(graph.outputs, outputs, strict=True):
        if stored.dtype == np.int8 and _maker(graph, index) not in _FIXED_RANGE:
            zero_point = tensor_quantization(tflite, index).zero_point
            ends = [end for end in (-128, 127) if end != zero_point]
            at_ends = int(np.isin(stored, ends).sum())
            share = max(0, at_ends - len(ends)) / stored.size
            found.append(Saturation(graph.tensors[index].name, share))
    return tuple(found)


def answers_classes(graph: Graph) -> bool:
    """Return whether the first output is a softmax over several classes."""
    return _maker(graph, graph.outputs[0]) == "SOFTMAX"


def _maker(graph: Graph, index: int) -> str | None:
    """Return the kind of the operator that computes a tensor, None for an input or a constant."""
    kinds = (operator.kind for operator in graph.operators if index in operator.outputs)
    return next(kinds, None)
