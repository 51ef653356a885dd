"""Runs a network layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from mcuprune.ir.keras_graph import LayerCall, TensorKey


def evaluated(call: LayerCall, tensors: Mapping[str, Any]) -> Any:
    """Return what a layer's call makes in inference mode.

    Args:
        call: The call.
        tensors: Values of all earlier tensors by key.
    """

    def value(argument: Any) -> Any:
        return tensors[argument] if isinstance(argument, TensorKey) else argument

    arguments, keywords = keras.tree.map_structure(value, (call.arguments, dict(call.keywords)))
    return call.layer(*arguments, **keywords)
