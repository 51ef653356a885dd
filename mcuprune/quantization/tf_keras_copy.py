"""A Keras 3 model as a tf_keras (Keras 2) model, layer by layer, for tools that know no other."""

from __future__ import annotations

from typing import Any

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.keras_graph import LayerCall, TensorKey, layer_graph
from mcuprune.keras2.layers import argument_names
from mcuprune.quantization.rebuild import flat_name, keras_kind

_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
# Written in another way in Keras 2, and without effect on a trained network.
_LEFT_OUT = ("initializer", "regularizer", "constraint")


def to_tf_keras(model: Any) -> Any:
    """Return the tf_keras model that computes what a Keras 3 model computes.

    Every layer is made anew with the same options and weights; nested models become part of one
    flat model. The way back is :func:`mcuprune.from_tf_keras`.

    Args:
        model: A built functional or Sequential ``keras.Model``; it is not changed.

    Returns:
        A functional ``tf_keras.Model``, uncompiled.

    Raises:
        UnsupportedModelError: The model is of another form, or Keras 2 has no such layer, or not
            with these options; the message names the layer.
    """
    import keras
    import tf_keras

    graph = layer_graph(model)
    tensors = {key: _input_like(graph.tensors[key][0], key) for key in graph.inputs}
    inputs = list(tensors.values())
    layers: dict[int, Any] = {}

    def filled(value: Any) -> Any:
        return tensors[value] if isinstance(value, TensorKey) else value

    for call in graph.calls:
        if id(call.layer) not in layers:
            layers[id(call.layer)] = _layer_like(call)
        arguments = keras.tree.map_structure(filled, call.arguments)
        made = layers[id(call.layer)](*arguments)
        tensors.update(zip(call.outputs, keras.tree.flatten(made), strict=True))
    for call in graph.calls:
        if call.layer.weights:
            layers[id(call.layer)].set_weights(call.layer.get_weights())
    outputs = [tensors[key] for key in graph.outputs]
    return tf_keras.Model(_single(inputs), _single(outputs), name=model.name)


def _input_like(tensor: Any, key: TensorKey) -> Any:
    import tf_keras

    batch, *shape = tensor.shape
    return tf_keras.Input(shape, batch_size=batch, dtype=tensor.dtype, name=key.layer)


def _layer_like(call: LayerCall) -> Any:
    """Return a new Keras 2 layer with the options of a call's layer, without its weights."""
    import tf_keras

    kind = keras_kind(call)
    target = getattr(tf_keras.layers, kind, None) if kind else None
    if target is None:
        raise UnsupportedModelError(
            f"layer {call.name!r} is a {call.kind}, which Keras 2 does not have: quantize this "
            "network with mcuprune.quantize_aware, or after training"
        )
    renamed, known = _RENAMED.get(kind, {}), argument_names(target)
    config = {renamed.get(key, key): value for key, value in call.layer.get_config().items()}
    config |= {"name": flat_name(call), "dtype": call.layer.dtype_policy.name}
    options = {k: v for k, v in config.items() if k in known and not k.endswith(_LEFT_OUT)}
    return target(**options)


def _single(tensors: list[Any]) -> Any:
    return tensors if len(tensors) > 1 else tensors[0]
