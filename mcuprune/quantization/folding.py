"""Batch norm folded into the layer before it, as the converter folds it.

The result is a plain model of linear layers with weights, each with a bias, and activations apart.
It computes what the original computes at inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.engines.base import Array
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.float32 import in_float32
from mcuprune.ir.keras_graph import LayerCall, LayerGraph, layer_class, layer_graph
from mcuprune.quantization.rebuild import Copies, flat_name, keras_kind, rebuilt

# Layers whose weights are rounded.
WEIGHTED = ("Conv1D", "Conv2D", "DepthwiseConv2D", "Dense")
_SEPARABLE = "SeparableConv2D"
# Layers that the converter writes as one operator for two tensors, again for the next.
_PAIRWISE = ("Add", "Multiply")
# Layers that take up a batch norm.
TAKES_NORM = (*WEIGHTED, _SEPARABLE)


def folded(model: Any) -> Any:
    """Return a copy of a model without batch norm, flat and in float32.

    Args:
        model: A built functional or Sequential ``keras.Model``; it is not changed.

    Raises:
        UnsupportedModelError: A batch norm that does not follow a convolution or dense layer
            directly, or a model of another form.
    """
    graph = layer_graph(in_float32(model))
    norms = {_producer(graph, call): call for call in graph.calls if _is_norm(call)}
    copies = Copies()

    def write(call: LayerCall, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if _is_norm(call):
            return arguments[0]
        if keras_kind(call) == _SEPARABLE:
            pointwise = _separated(call, norms.get(call.name), arguments[0], copies)
            return _activated(call, pointwise, copies)
        if keras_kind(call) in _PAIRWISE and len(call.inputs) > 2:
            return _in_pairs(call, arguments[0], copies)
        if keras_kind(call) not in WEIGHTED:
            return copies.of(call)(*arguments, **keywords)
        inputs, changes = _padded(call, arguments[0], copies)
        changes |= {"use_bias": True, "activation": None, "bias_regularizer": None}
        layer = copies.of(call, layer_class(call.layer), **changes)
        return _activated(call, layer(inputs), copies)

    plain = rebuilt(graph, write, lambda _, tensor: tensor)
    weighted = {call.name: call for call in graph.calls if keras_kind(call) in WEIGHTED}
    copies.finish(
        {flat_name(call): _weights(call, norms.get(name)) for name, call in weighted.items()}
    )
    return plain


def _is_norm(call: LayerCall) -> bool:
    return keras_kind(call) == "BatchNormalization"


def _producer(graph: LayerGraph, norm: LayerCall) -> str:
    """Return the path of the layer that a batch norm folds into."""
    before = graph.producer(norm.inputs[0])
    if before is None or keras_kind(before) not in TAKES_NORM or not _is_linear(before.layer):
        what = "the input" if before is None else f"layer {before.name!r} ({before.kind})"
        raise _refusal(norm, f"it follows {what}")
    calls = [call for call in graph.calls if call.layer in (before.layer, norm.layer)]
    is_read_elsewhere = len(graph.consumers(norm.inputs[0])) > 1 or norm.inputs[0] in graph.outputs
    if len(calls) > 2 or is_read_elsewhere:
        raise _refusal(norm, f"layer {before.name!r} before it is shared, or read elsewhere too")
    if norm.layer.axis not in (-1, len(graph.shapes[norm.inputs[0]]) - 1):
        raise _refusal(norm, f"it normalises axis {norm.layer.axis}, not the channels")
    return before.name


def _refusal(norm: LayerCall, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"layer {norm.name!r} (BatchNormalization) cannot be folded: {reason}. Put it right after "
        f"a linear {', '.join(TAKES_NORM[:-1])} or {TAKES_NORM[-1]} layer of its own, or "
        "quantize after training: mcuprune.deploy(model, calibration)"
    )


def _is_linear(layer: Any) -> bool:
    import keras

    return layer.activation is keras.activations.linear


def _padded(call: LayerCall, inputs: Any, copies: Copies) -> tuple[Any, dict[str, Any]]:
    """Pad before a causal convolution; return its inputs, and what changes in the layer."""
    import keras

    layer = call.layer
    if getattr(layer, "padding", None) != "causal":
        return inputs, {}
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    name = f"{flat_name(call)}_padding"
    padding = keras.layers.ZeroPadding1D((before, 0), name=name, dtype="float32")
    return copies.added(padding)(inputs), {"padding": "valid"}


def _activated(call: LayerCall, outputs: Any, copies: Copies) -> Any:
    import keras

    if _is_linear(call.layer):
        return outputs
    name = f"{flat_name(call)}_activation"
    layer = keras.layers.Activation(call.layer.activation, name=name, dtype="float32")
    return copies.added(layer)(outputs)


def _in_pairs(call: LayerCall, inputs: Sequence[Any], copies: Copies) -> Any:
    made, *others = inputs
    for number, other in enumerate(others, start=1):
        name = flat_name(call) + (f"_{number}" if number < len(others) else "")
        made = copies.added(layer_class(call.layer)(name=name, dtype="float32"))([made, other])
    return made


def _separated(call: LayerCall, norm: LayerCall | None, inputs: Any, copies: Copies) -> Any:
    """Write a separable convolution as the two that the converter makes of it."""
    import keras

    layer, name = call.layer, flat_name(call)
    kernel = layer.get_weights()[0]
    depthwise = keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        layer.strides,
        layer.padding,
        layer.depth_multiplier,
        dilation_rate=layer.dilation_rate,
        name=f"{name}_depthwise",
        dtype="float32",
    )
    pointwise = keras.layers.Conv2D(layer.filters, 1, name=name, dtype="float32")
    depthwise.trainable = pointwise.trainable = layer.trainable
    zeros = np.zeros(kernel.shape[2] * kernel.shape[3], np.float32)
    middle = copies.added(depthwise, [kernel, zeros])(inputs)
    return copies.added(pointwise, _weights(call, norm))(middle)


def _weights(call: LayerCall, norm: LayerCall | None) -> list[Array]:
    """Return kernel and bias of what makes the outputs, the batch norm in them."""
    layer = call.layer
    kernels = 2 if keras_kind(call) == _SEPARABLE else 1
    kernel, *biases = layer.get_weights()[kernels - 1 :]
    width = call.node.outputs[0].shape[-1]
    bias = biases[0] if biases else np.zeros(width, np.float32)
    if norm is None:
        return [kernel, bias]
    factor, offset = _affine(norm.layer)
    # A depthwise kernel ends in (channels, multiplier), which make up the outputs.
    in_kernel = factor.reshape(kernel.shape[-2:]) if call.kind == "DepthwiseConv2D" else factor
    return [kernel * in_kernel, bias * factor + offset]


def _affine(norm: Any) -> tuple[Array, Array]:
    """Return a batch norm at inference as factor and offset per channel."""
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    factor = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        factor = factor * np.asarray(norm.gamma)
    offset = -mean * factor
    if norm.center:
        offset = offset + np.asarray(norm.beta)
    return factor, offset
