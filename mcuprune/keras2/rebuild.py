"""A tf_keras (Keras 2) model, rebuilt layer by layer as a plain Keras 3 model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mcuprune.errors import UnsupportedModelError
from mcuprune.keras2.calls import Call, Key, Rebuilt, filled, key_of, nodes_of
from mcuprune.keras2.layers import keras3_name, layer_like, refuse_tfmot
from mcuprune.keras2.operations import is_operation, operation_like
from mcuprune.keras2.proof import require_equal_outputs


def from_tf_keras(
    model: Any, custom_objects: Mapping[str, Any] | None = None, tolerance: float | None = None
) -> Any:
    """Return the Keras 3 model that computes what a tf_keras (Keras 2) model computes.

    Every layer is made anew with the same name, options and weights (a ``/`` in a name becomes
    ``_``); TensorFlow functions in the graph become operations of ``keras.ops``. Every
    layer and the models as a whole then run on random input, and their outputs are compared. The
    model comes back uncompiled.

    Args:
        model: A built functional or Sequential model of ``tf_keras``, which is also ``tf.keras``
            where ``TF_USE_LEGACY_KERAS=1`` is set. Nested models, shared layers, several inputs
            and several outputs are fine.
        custom_objects: For each class or function that is not part of Keras its name and what it
            is in Keras 3: a layer class with the same weights, an activation function ...
        tolerance: Largest allowed difference of an output, over its largest magnitude: 1e-5 by
            default, 2e-2 for models that compute in half precision.

    Raises:
        UnsupportedModelError: The model is subclassed, unbuilt or wrapped by
            tensorflow-model-optimization, Keras 3 lacks one of its layers, or the outputs differ;
            the message names the layer.
    """
    _require_tf_keras_model(model)
    rebuilding = _Rebuilding(custom_objects or {})
    rebuilt = rebuilding.model(model)
    rebuilding.copy_weights()
    require_equal_outputs(rebuilt, tolerance)
    return rebuilt.new


class _Rebuilding:
    """What one conversion knows: the counterpart of each layer, and whose weights go where."""

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        self._custom_objects = custom_objects
        self._counterparts: dict[int, Any] = {}
        self._models: dict[int, Rebuilt] = {}
        self._pairs: list[tuple[Any, Any]] = []

    def model(self, old: Any) -> Rebuilt:
        """Rebuild a functional or Sequential model, without weights."""
        if id(old) not in self._models:
            _require_graph(old)
            sequential = isinstance(old, _tf_keras().Sequential)
            self._models[id(old)] = self._sequential(old) if sequential else self._functional(old)
        return self._models[id(old)]

    def copy_weights(self) -> None:
        """Give every new layer the weights of its old one, and what of it is trained."""
        for old, new in self._pairs:
            _copy_weights(old, new)
            new.trainable = old.trainable

    def _sequential(self, old: Any) -> Rebuilt:
        import keras

        calls = tuple(self._call(node) for node in nodes_of(old))
        layers = [self._counterpart(layer) for layer in old.layers]
        new = keras.Sequential([_input_like(old.inputs[0]), *layers], name=keras3_name(old.name))
        return Rebuilt(old, new, calls)

    def _functional(self, old: Any) -> Rebuilt:
        import keras

        calls = tuple(self._call(node) for node in nodes_of(old))
        tensors: dict[Key, Any] = {key_of(tensor): _input_like(tensor) for tensor in old.inputs}
        for call in calls:
            results = call.run(call.new, tensors)
            if is_operation(call.old):
                _name_operations(results, keras3_name(call.old.name), tensors)
            tensors.update(results)
        inputs = filled(old._nested_inputs, tensors)
        outputs = filled(old._nested_outputs, tensors)
        return Rebuilt(old, keras.Model(inputs, outputs, name=keras3_name(old.name)), calls)

    def _call(self, node: Any) -> Call:
        new = self._counterpart(node.layer)
        inside = self._models.get(id(node.layer))
        return Call(node.layer, new, node.call_args, node.call_kwargs, node.outputs, inside)

    def _counterpart(self, old: Any) -> Any:
        if id(old) not in self._counterparts:
            self._counterparts[id(old)] = self._made(old)
        return self._counterparts[id(old)]

    def _made(self, old: Any) -> Any:
        if is_operation(old):
            return operation_like(old)
        if isinstance(old, _tf_keras().Model):
            return self.model(old).new
        new = layer_like(old, self._custom_objects, self._counterpart)
        self._pairs += _weight_pairs(old, new)
        return new


def _weight_pairs(old: Any, new: Any) -> list[tuple[Any, Any]]:
    """Return which layers hold the weights of a layer, in both versions."""
    if not hasattr(old, "layer"):
        return [(old, new)]
    if hasattr(old, "forward_layer"):
        return [(old.forward_layer, new.forward_layer), (old.backward_layer, new.backward_layer)]
    return []  # a wrapper's layer is paired where it was made


def _copy_weights(old: Any, new: Any) -> None:
    weights = old.get_weights()
    if not new.weights and "Random" in type(old).__name__:
        return  # Keras 2 counts the state of a random generator as a weight
    try:
        new.set_weights(weights)
        if hasattr(new, "finalize_state"):  # Normalization computes with constants made from them
            new.finalize_state()
    except ValueError as error:
        raise UnsupportedModelError(
            f"layer {old.name!r} ({type(old).__name__}) has weights of shapes "
            f"{[weight.shape for weight in weights]} in Keras 2 and "
            f"{[tuple(weight.shape) for weight in new.weights]} in Keras 3: its Keras 3 class must "
            "have the same weights in the same order"
        ) from error


def _input_like(tensor: Any) -> Any:
    import keras

    name = keras3_name(tensor._keras_history.layer.name)
    return keras.Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype.name, name=name)


def _name_operations(results: Mapping[Key, Any], name: str, known: Mapping[Key, Any]) -> None:
    """Name an operation like its Keras 2 layer, so that it cannot clash with a layer's name."""
    import keras

    earlier = {id(tensor) for tensor in known.values()}
    for result in results.values():
        if isinstance(result, keras.KerasTensor) and id(result) not in earlier:
            result._keras_history.operation.name = name


def _tf_keras() -> Any:
    """Return the module ``tf_keras``; whoever has a model of it has imported it."""
    return sys.modules["tf_keras"]


def _require_tf_keras_model(model: Any) -> None:
    import keras

    if isinstance(model, keras.Model):
        raise UnsupportedModelError(
            f"model {model.name!r} is a Keras 3 model already: use it as it is"
        )
    if "tf_keras" not in sys.modules or not isinstance(model, _tf_keras().Model):
        raise UnsupportedModelError(
            f"expected a model of tf_keras, found {type(model).__name__}: pass what "
            "tf_keras.Model(...), tf_keras.Sequential(...) or tf_keras.models.load_model(...) "
            "returned"
        )


def _require_graph(model: Any) -> None:
    refuse_tfmot(model)
    if getattr(model, "_is_graph_network", False):
        return
    if isinstance(model, _tf_keras().Sequential):
        raise UnsupportedModelError(
            f"model {model.name!r} is not built: its input shape is unknown. Call "
            "model.build(input_shape) first."
        )
    raise UnsupportedModelError(
        f"model {model.name!r} is a subclassed model ({type(model).__name__}); its layers form no "
        "graph that can be rebuilt. Write it anew with `import keras`, as keras.Model(inputs, "
        "outputs) or keras.Sequential, and copy the weights with set_weights()."
    )
