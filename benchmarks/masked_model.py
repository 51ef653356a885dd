"""What a network computes without some of its channels, worked out without cutting it.

The whole network runs layer by layer; after each layer the tensor is set to zero where a dropped
channel stands, so that nobody downstream hears of it. Layers whose statistics span
channels are computed here, over the living channels alone. Nothing is sliced: the code that cuts
networks is held against this, and shares with it only the layouts of the tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from layer_walk import evaluated

from mcuprune.channels.groups import Groups
from mcuprune.ir.keras_graph import LayerCall, layer_graph

Array = npt.NDArray[Any]
Keep = Mapping[str, npt.NDArray[np.intp]]


def masked_outputs(model: Any, groups: Groups, keep: Keep, inputs: Sequence[Array]) -> list[Array]:
    """Return the outputs that the network has once its dropped channels are silent.

    Args:
        model: The whole network.
        groups: Its coupling groups.
        keep: For each group the indices of the channels that stay; a group that is absent keeps
            all.
        inputs: One array per input of the model, batch first.

    Returns:
        One array per output. Dropped channels of an output would be zero; no group that reaches
        an output can be pruned.
    """
    graph = layer_graph(model)
    tensors = dict(zip(graph.inputs, map(keras.ops.convert_to_tensor, inputs), strict=True))
    for call in graph.calls:
        made = _made(call, tensors, lambda key: living(groups, keep, key))
        for key, tensor in zip(call.outputs, keras.tree.flatten(made), strict=True):
            tensors[key] = _silenced(tensor, living(groups, keep, key))
    return [np.asarray(tensors[key]) for key in graph.outputs]


def living(groups: Groups, keep: Keep, key: str) -> npt.NDArray[np.bool_]:
    """Tell for each position of a tensor's last axis whether its channel stays."""
    stays = {-1}
    for name, span in groups.slices.items():
        numbers = range(span.start, span.stop)
        stays |= {numbers[i] for i in keep.get(name, range(len(numbers)))}
    return np.isin(groups.layouts[key].channels, list(stays))


def _silenced(tensor: Any, alive: npt.NDArray[np.bool_]) -> Any:
    if alive.all():
        return tensor
    # Not a product: what a dropped channel divides by another one may be no number.
    return keras.ops.where(alive, tensor, keras.ops.zeros_like(tensor))


def _made(
    call: LayerCall, tensors: Mapping[str, Any], alive: Callable[[str], npt.NDArray[np.bool_]]
) -> Any:
    special = _OVER_CHANNELS.get(type(call.layer))
    if special is not None:
        (key,) = call.inputs
        return special(call.layer, np.asarray(tensors[key], np.float64), alive(key))

    return evaluated(call, tensors)


def _layer_norm(layer: Any, x: Array, alive: npt.NDArray[np.bool_]) -> Any:
    axes = tuple(np.atleast_1d(layer.axis) % x.ndim)
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    return _normalised(layer, x, np.broadcast_to(alive, x.shape), axes, shape)


def _group_norm(layer: Any, x: Array, alive: npt.NDArray[np.bool_]) -> Any:
    """Normalise each sample's blocks of neighbouring channels; -1 means one block per channel."""
    channels = x.shape[-1]
    blocks = channels if layer.groups == -1 else layer.groups
    apart = (*x.shape[:-1], blocks, channels // blocks)
    mask = np.broadcast_to(alive, x.shape).reshape(apart)
    axes = (*range(1, x.ndim - 1), x.ndim)
    shape = [1] * (x.ndim - 1) + [blocks, channels // blocks]
    return keras.ops.reshape(_normalised(layer, x.reshape(apart), mask, axes, shape), x.shape)


def _rms_norm(layer: Any, x: Array, alive: npt.NDArray[np.bool_]) -> Any:
    square = (x**2 * alive).sum(-1, keepdims=True) / max(1, alive.sum())
    y = x / np.sqrt(square + layer.epsilon) * layer.scale.numpy()
    return keras.ops.convert_to_tensor(y.astype("float32"))


def _normalised(
    layer: Any,
    x: Array,
    alive: npt.NDArray[np.bool_],
    axes: tuple[int, ...],
    parameter_shape: Sequence[int],
) -> Any:
    """Normalise over ``axes`` with the mean and variance of the living elements."""
    count = np.maximum(alive.sum(axes, keepdims=True), 1)
    mean = (x * alive).sum(axes, keepdims=True) / count
    variance = ((x - mean) ** 2 * alive).sum(axes, keepdims=True) / count
    y = (x - mean) / np.sqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        y = y * layer.gamma.numpy().reshape(parameter_shape)
    if layer.beta is not None:
        y = y + layer.beta.numpy().reshape(parameter_shape)
    return keras.ops.convert_to_tensor(y.astype("float32"))


_OVER_CHANNELS: dict[type, Callable[[Any, Array, npt.NDArray[np.bool_]], Any]] = {
    keras.layers.LayerNormalization: _layer_norm,
    keras.layers.GroupNormalization: _group_norm,
    keras.layers.RMSNormalization: _rms_norm,
}


def relative_difference(expected: Sequence[Array], found: Any) -> float:
    """Return the largest difference of two networks' outputs, over the range of that output."""
    found = keras.tree.flatten(found)
    return max(
        float(np.max(np.abs(np.asarray(b) - a)) / max(np.ptp(a), 1e-12))
        for a, b in zip(expected, found, strict=True)
    )
