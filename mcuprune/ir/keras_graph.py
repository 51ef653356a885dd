"""A functional or Sequential Keras model as a flat list of layer calls.

Both readers of Keras models start here: the IR's front door and the coupling-group analysis.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from mcuprune.errors import UnsupportedModelError


@dataclasses.dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        layer: The ``keras.Layer`` or operation (``keras.Operation``).
        inputs: Keys of the tensors it reads, in call order.
        outputs: Keys of the tensors it makes.
        node_index: Which of the layer's calls this is (0 unless the layer is shared).
    """

    layer: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    node_index: int = 0

    @property
    def kind(self) -> str:
        """Class name of the layer, without the prefix that gating adds."""
        return getattr(type(self.layer), "_mcuprune_base", type(self.layer)).__name__


@dataclasses.dataclass(frozen=True)
class LayerGraph:
    """Layer calls in execution order.

    Attributes:
        name: Name of the model.
        calls: In the order in which the model runs them; input layers excluded.
        inputs: Keys of the model's inputs.
        outputs: Keys of the model's outputs.
        shapes: Shape per tensor key, batch first (None).
    """

    name: str
    calls: tuple[LayerCall, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int | None, ...]]

    def consumers(self, key: str) -> list[LayerCall]:
        """Return the calls that read tensor ``key``."""
        return [call for call in self.calls if key in call.inputs]

    def producer(self, key: str) -> LayerCall | None:
        """Return the call that makes tensor ``key``; None for a model input."""
        return next((call for call in self.calls if key in call.outputs), None)


def tensor_key(tensor: Any) -> str:
    """Return a name for a ``KerasTensor`` that is stable across rebuilds from the same config."""
    layer, node_index, tensor_index = tensor._keras_history
    return f"{layer.name}/{node_index}:{tensor_index}"


def functional(model: Any) -> Any:
    """Return the functional model behind ``model``.

    Args:
        model: A built functional or Sequential ``keras.Model``.

    Raises:
        UnsupportedModelError: A subclassed, unbuilt or tf_keras (Keras 2) model, or no model.
    """
    import keras

    if _is_tf_keras(model):
        raise UnsupportedModelError(
            f"{_title(model)} is a tf_keras (Keras 2) model; mcuprune works on Keras 3. "
            "Rebuild it with `import keras` (Keras 3) and copy the weights with set_weights()."
        )
    if not isinstance(model, keras.Model):
        raise UnsupportedModelError(
            f"expected a keras.Model, found {type(model).__name__}: pass a functional or "
            "Sequential Keras 3 model"
        )
    if isinstance(model, keras.Sequential):
        if not model.built or model._functional is None:
            raise UnsupportedModelError(
                f"{_title(model)} is not built: its input shape is unknown. Start it with "
                "keras.Input(shape=...) or call model.build(input_shape) first."
            )
        return model._functional
    if not isinstance(model, keras.src.models.Functional):
        raise UnsupportedModelError(
            f"{_title(model)} is a subclassed model ({type(model).__name__}); its layers form no "
            "graph that can be read. Build it with the functional API, "
            "keras.Model(inputs, outputs), or as keras.Sequential."
        )
    return model


def layer_graph(model: Any) -> LayerGraph:
    """Read the layer calls of a built functional or Sequential model.

    Raises:
        UnsupportedModelError: The model is of another form, or holds a nested model.
    """
    net = functional(model)
    shapes: dict[str, tuple[int | None, ...]] = {}
    calls = []
    for depth in sorted(net._nodes_by_depth, reverse=True):
        for node in net._nodes_by_depth[depth]:
            for tensor in [*node.input_tensors, *node.outputs]:
                shapes[tensor_key(tensor)] = tuple(tensor.shape)
            if node.is_input:
                continue
            _refuse_nested(node.operation, model)
            calls.append(_call(node))
    return LayerGraph(
        name=model.name,
        calls=tuple(calls),
        inputs=tuple(tensor_key(t) for t in net.inputs),
        outputs=tuple(tensor_key(t) for t in net.outputs),
        shapes=shapes,
    )


def _call(node: Any) -> LayerCall:
    return LayerCall(
        layer=node.operation,
        inputs=tuple(tensor_key(t) for t in node.input_tensors),
        outputs=tuple(tensor_key(t) for t in node.outputs),
        node_index=node.operation._inbound_nodes.index(node),
    )


def _refuse_nested(operation: Any, model: Any) -> None:
    import keras

    if isinstance(operation, keras.Model):
        raise UnsupportedModelError(
            f"{_title(model)} holds the nested model {operation.name!r}; nested models cannot be "
            "read yet. Call its layers one by one on the outer model's tensors."
        )


def _is_tf_keras(model: Any) -> bool:
    tf_keras = sys.modules.get("tf_keras")
    return tf_keras is not None and isinstance(model, tf_keras.Model)


def _title(model: Any) -> str:
    return f"model {getattr(model, 'name', '?')!r}"
