"""Where an int8 file rounds activations, and which of them share one scale.

A fused activation rounds once, after it. Pooling, reshaping, padding, concatenation, maximum and
minimum keep the scale of what they read: all of it shares one range. Softmax, sigmoid and tanh have
the scales that TFLite's specification fixes
(https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.keras_graph import LayerCall, LayerGraph, TensorKey
from mcuprune.quantization.folding import TAKES_NORM, WEIGHTED
from mcuprune.quantization.rebuild import keras_kind

Range = tuple[float, float]

_ARITHMETIC = ("Add", "Multiply", "Subtract")
_MEANS = ("GlobalAveragePooling1D", "GlobalAveragePooling2D")
_AVERAGES = ("AveragePooling1D", "AveragePooling2D")
_POOLS = (*_AVERAGES, "MaxPooling1D", "MaxPooling2D")
_SAME_SCALE = (
    *_POOLS, "Concatenate", "Cropping1D", "Cropping2D", "Flatten", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "Maximum", "Minimum", "Permute", "Reshape", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D",
)  # fmt: skip
_TRAINING_ONLY = (
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "Identity", "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip
_LIMITED = ("relu", "relu6")
_FREE = (*_LIMITED, "leaky_relu")
# How far below and above zero, so that the scale is 1/256 and 1/128.
_FIXED: dict[str, Range] = {
    "sigmoid": (0.0, 255 / 256),
    "softmax": (0.0, 255 / 256),
    "tanh": (1.0, 127 / 128),
}
_OPERATIONS = {"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh"}


@dataclasses.dataclass(frozen=True)
class SharedRange:
    """Tensors of one scale.

    Attributes:
        tensors: Those that are rounded to it, in execution order: the others that share the scale
            hold such numbers already.
        fixed: How far it reaches below and above zero, None if that is free.
    """

    tensors: tuple[TensorKey, ...]
    fixed: Range | None = None


def shared_ranges(graph: LayerGraph) -> tuple[SharedRange, ...]:
    """Return the ranges of a network's activations, in execution order.

    Args:
        graph: A network without batch norm, activations apart from the layers with weights
            (:func:`mcuprune.quantization.folding.folded`).

    Raises:
        UnsupportedModelError: It holds a layer that training cannot round as the file does.
    """
    scales = _Scales(graph)
    for call in graph.calls:
        scales.follow(call)
    return scales.ranges()


class _Scales:
    """Follows a network: which tensors are rounded, and whose scale each one has."""

    def __init__(self, graph: LayerGraph) -> None:
        self._graph = graph
        self._same = {key: key for key in graph.inputs}
        self._rounded = list(graph.inputs)
        self._fixed: dict[TensorKey, Range] = {}

    def follow(self, call: LayerCall) -> None:
        key = call.outputs[0]
        self._same[key] = key
        if _is_idle(call) or keras_kind(call) in _SAME_SCALE:
            self._join(key, call.inputs)
            if _averages(call) and not self._is_limited_next(key):
                self._rounded.append(key)
        elif _function(call) in _FIXED:
            self._fixed[key] = _FIXED[_function(call)]
            # A loss wants probabilities as they are; the file rounds the outputs in any case.
            if key not in self._graph.outputs:
                self._rounded.append(key)
        elif _function(call) in _LIMITED and self._origin(call.inputs[0]) in _POOLS:
            self._join(key, call.inputs)
            self._rounded.append(key)
        elif _has_own_scale(call):
            is_fused = keras_kind(call) in (*WEIGHTED, *_ARITHMETIC) and self._is_limited_next(key)
            self._rounded += [] if is_fused else [key]
        else:
            raise _unsupported(call)

    def ranges(self) -> tuple[SharedRange, ...]:
        groups: dict[TensorKey, list[TensorKey]] = {}
        for key in self._rounded:
            groups.setdefault(self._root(key), []).append(key)
        return tuple(
            SharedRange(tuple(keys), self._fixed.get(root)) for root, keys in groups.items()
        )

    def _join(self, key: TensorKey, inputs: Iterable[TensorKey]) -> None:
        roots = {self._root(source): None for source in inputs}
        # A fixed scale is no other tensor's: the converter requantizes where they meet.
        free = [root for root in roots if root not in self._fixed] or list(roots)[:1]
        for root in (*free[1:], key):
            self._same[root] = free[0]

    def _root(self, key: TensorKey) -> TensorKey:
        while self._same[key] != key:
            key = self._same[key]
        return key

    def _is_limited_next(self, key: TensorKey) -> bool:
        """Tell whether a ReLU alone reads a tensor, through layers that are idle at inference."""
        readers = self._graph.consumers(key)
        if len(readers) != 1 or key in self._graph.outputs:
            return False
        if _is_idle(readers[0]):
            return self._is_limited_next(readers[0].outputs[0])
        return _function(readers[0]) in _LIMITED

    def _origin(self, key: TensorKey) -> str:
        """Return the kind of layer that makes a tensor read by one call alone, else nothing."""
        producer = self._graph.producer(key)
        if producer is None or not self._is_limited_next(key):
            return ""
        return self._origin(producer.inputs[0]) if _is_idle(producer) else keras_kind(producer)


def _is_idle(call: LayerCall) -> bool:
    return keras_kind(call) in _TRAINING_ONLY or _function(call) == "linear"


def _averages(call: LayerCall) -> bool:
    """Tell whether a layer keeps the scale, but not the numbers, of what it reads."""
    interpolation = getattr(call.layer, "interpolation", "nearest")
    return keras_kind(call) in _AVERAGES or interpolation != "nearest"


def _has_own_scale(call: LayerCall) -> bool:
    if keras_kind(call) in _ARITHMETIC:
        return len(call.inputs) == len(call.operands)
    return keras_kind(call) in (*WEIGHTED, *_MEANS) or _function(call) in _FREE


def _function(call: LayerCall) -> str:
    """Return the name of the activation function that a call is; empty if it is none."""
    layer = call.layer
    kind = keras_kind(call)
    if kind == "Activation":
        return str(getattr(layer.activation, "__name__", ""))
    if kind == "ReLU" and not layer.negative_slope and not layer.threshold:
        return {None: "relu", 6.0: "relu6"}.get(layer.max_value, "")
    if kind == "Softmax":
        return "softmax"
    return "leaky_relu" if kind == "LeakyReLU" else _OPERATIONS.get(kind, "")


def _unsupported(call: LayerCall) -> UnsupportedModelError:
    kinds = sorted({*TAKES_NORM, *_ARITHMETIC, *_MEANS, *_SAME_SCALE, *_TRAINING_ONLY})
    functions = ", ".join(sorted({*_FREE, *_FIXED}))
    return UnsupportedModelError(
        f"layer {call.name!r} ({call.kind}) cannot be trained with the numbers of int8. Known are "
        f"{', '.join(kinds)} and the activations {functions}. Replace it, or quantize after "
        "training: mcuprune.deploy(model, calibration)"
    )
