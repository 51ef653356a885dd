"""Which Keras models can be read as a graph: functional and Sequential ones, built."""

from __future__ import annotations

import sys
from typing import Any

from mcuprune.errors import UnsupportedModelError


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
            f"{_title(model)} is a tf_keras (Keras 2) model; mcuprune works on Keras 3: "
            "convert it with mcuprune.from_tf_keras(model)"
        )
    if not isinstance(model, keras.Model):
        raise UnsupportedModelError(
            f"expected a keras.Model, found {type(model).__name__}: pass a functional or "
            "Sequential Keras 3 model"
        )
    if isinstance(model, keras.Sequential) and inlined(model) is None and not _has_own_call(model):
        raise UnsupportedModelError(
            f"{_title(model)} is not built: its input shape is unknown. Start it with "
            "keras.Input(shape=...) or call model.build(input_shape) first."
        )
    net = inlined(model)
    if net is None:
        raise UnsupportedModelError(
            f"{_title(model)} is a subclassed model ({type(model).__name__}) with a call() of its "
            "own; its layers form no graph that can be read. Where call() uses layers and "
            "keras.ops alone, inputs = keras.Input(shape) and keras.Model(inputs, "
            "model.call(inputs)) make one of the same layers and weights; else build it with the "
            "functional API."
        )
    return net


def inlined(layer: Any) -> Any:
    """Return the functional model that a layer is, None for any other layer.

    A class derived from ``keras.Model`` that is made with inputs and outputs is one (its
    ``train_step`` may be its own), unless it has a ``call`` of its own.
    """
    import keras

    if not isinstance(layer, keras.Model) or _has_own_call(layer):
        return None
    if isinstance(layer, keras.Sequential):
        return layer._functional if layer.built else None
    return layer if isinstance(layer, keras.src.models.Functional) else None


def _has_own_call(model: Any) -> bool:
    import keras

    known = (keras.Sequential.call, keras.src.models.Functional.call)
    return type(model).call not in known


def _is_tf_keras(model: Any) -> bool:
    tf_keras = sys.modules.get("tf_keras")
    return tf_keras is not None and isinstance(model, tf_keras.Model)


def _title(model: Any) -> str:
    return f"model {getattr(model, 'name', '?')!r}"
