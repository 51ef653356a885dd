"""A model written anew, call by call, as a flat functional model of fresh layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcuprune.ir.keras_graph import (
    LayerCall,
    LayerGraph,
    TensorKey,
    is_keras_class,
    layer_class,
)

# Given a call, its arguments and its keyword arguments: what the new model computes instead.
Write = Callable[[LayerCall, tuple[Any, ...], dict[str, Any]], Any]


def rebuilt(graph: LayerGraph, write: Write, read: Callable[[TensorKey, Any], Any]) -> Any:
    """Return a new functional model.

    Args:
        graph: The calls to write; nested models are inlined.
        write: Writes one call.
        read: Given an input's key and its tensor: what the calls read in its place.
    """
    import keras

    inputs = [_input_like(graph, key) for key in graph.inputs]
    tensors = {key: read(key, tensor) for key, tensor in zip(graph.inputs, inputs, strict=True)}
    for call in graph.calls:
        arguments = _filled(call.arguments, tensors)
        made = write(call, arguments, _filled(dict(call.keywords), tensors))
        tensors.update(zip(call.outputs, keras.tree.flatten(made), strict=True))
    outputs = [tensors[key] for key in graph.outputs]
    return keras.Model(_single(inputs), _single(outputs), name=graph.name)


class Copies:
    """One fresh layer for each layer of the old model, with the same weights once it is built."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._pending: list[tuple[Any, Any]] = []
        self._added: dict[str, Any] = {}

    def of(self, call: LayerCall, kind: Any = None, **changes: Any) -> Any:
        """Return the copy of a call's layer; operations, which hold nothing, are their own.

        Args:
            call: A call of the layer.
            kind: Class of the copy, that of the layer if None.
            **changes: Arguments in which its config differs.
        """
        import keras

        layer = call.layer
        if not isinstance(layer, keras.layers.Layer):
            return layer
        if id(layer) not in self._copies:
            # A class derived from the one that says what the layer does may have other arguments.
            described: Any = layer_class(layer) if kind else type(layer)
            config = described.get_config(layer)
            named = {**config, "name": flat_name(call), **changes}
            copy = (kind or type(layer)).from_config(named)
            copy.trainable = layer.trainable
            self._copies[id(layer)] = copy
            self._pending.append((copy, layer.get_weights()))
        return self._copies[id(layer)]

    def added(self, layer: Any, weights: list[Any] | None = None) -> Any:
        """Return a layer that the old model lacks; the same one for each call of a shared layer.

        Args:
            layer: The layer, which is dropped if one of its name was added before.
            weights: What it gets once it is built.
        """
        if layer.name not in self._added:
            self._added[layer.name] = layer
            self._pending += [(layer, weights)] if weights else []
        return self._added[layer.name]

    def finish(self, changed: Mapping[str, list[Any]] | None = None) -> None:
        """Set the weights of the copies, which are built by now.

        Args:
            changed: Weights that differ, by the copy's name.
        """
        for copy, weights in self._pending:
            copy.set_weights((changed or {}).get(copy.name, weights))


def keras_kind(call: LayerCall) -> str:
    """Return the name of Keras's own class that says what a call does; empty if it is another."""
    return call.kind if is_keras_class(layer_class(call.layer)) else ""


def flat_name(call: LayerCall) -> str:
    """Return a call's path as the name of a layer in a flat model."""
    return call.name.replace("/", "_")


def _input_like(graph: LayerGraph, key: TensorKey) -> Any:
    import keras

    tensor = graph.tensors[key][0]
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=key.layer)


def _filled(arguments: Any, tensors: Mapping[TensorKey, Any]) -> Any:
    import keras

    def fill(value: Any) -> Any:
        return tensors[value] if isinstance(value, TensorKey) else value

    return keras.tree.map_structure(fill, arguments)


def _single(tensors: list[Any]) -> Any:
    return tensors if len(tensors) > 1 else tensors[0]
