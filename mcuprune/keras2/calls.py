"""The calls of layers in a Keras 2 graph, each beside its counterpart in Keras 3."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Key = tuple[int, int, int]


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of one Keras 2 layer.

    Attributes:
        old: The ``tf_keras`` layer or model.
        new: Its counterpart: a Keras 3 layer or model, or a function of Keras 3 tensors.
        args: Positional arguments; symbolic tensors of Keras 2 among them.
        kwargs: Keyword arguments, likewise.
        outputs: What the call returned, symbolic.
        inside: Where ``old`` is a model: its own calls.
    """

    old: Any
    new: Callable[..., Any]
    args: Any
    kwargs: Mapping[str, Any]
    outputs: Any
    inside: Rebuilt | None = None

    def run(
        self, function: Callable[..., Any], values: Mapping[Key, Any], **options: Any
    ) -> dict[Key, Any]:
        """Call ``function`` with ``values`` in place of the symbolic tensors.

        Args:
            function: ``old`` or ``new``.
            values: Value per symbolic tensor.
            options: More keyword arguments, unless the call in the graph gives them.

        Returns:
            The results per symbolic output.
        """
        import tensorflow as tf

        kwargs = {k: v for k, v in self.kwargs.items() if v is not None and k != "name"}
        results = function(*filled(self.args, values), **{**options, **filled(kwargs, values)})
        # One output may be several values: a shape is a tuple in Keras 3.
        single = hasattr(self.outputs, "_keras_history")
        flat = [results] if single else tf.nest.flatten(results)
        keys = [key_of(tensor) for tensor in tf.nest.flatten(self.outputs)]
        return dict(zip(keys, flat, strict=True))


@dataclasses.dataclass(frozen=True)
class Rebuilt:
    """A Keras 2 model beside its Keras 3 counterpart, with the calls between input and output."""

    old: Any
    new: Any
    calls: tuple[Call, ...]


def nodes_of(model: Any) -> Iterator[Any]:
    """Yield the calls of a Keras 2 functional or Sequential model in order, inputs excluded."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def key_of(tensor: Any) -> Key:
    """Return what identifies a symbolic tensor of Keras 2."""
    layer, node_index, tensor_index = tensor._keras_history
    return id(layer), node_index, tensor_index


def filled(structure: Any, values: Mapping[Key, Any]) -> Any:
    """Return nested arguments with values in place of symbolic tensors, constants as plain values.

    Args:
        structure: Lists, tuples and dicts of symbolic tensors and constants.
        values: Value per symbolic tensor.
    """
    if isinstance(structure, dict):
        return {key: filled(value, values) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        items = [filled(value, values) for value in structure]
        return tuple(items) if isinstance(structure, tuple) else items
    if hasattr(structure, "_keras_history"):
        return values[key_of(structure)]
    return _plain(structure)


def _plain(constant: Any) -> Any:
    import tensorflow as tf

    if isinstance(constant, tf.DType):
        return constant.name
    if isinstance(constant, tf.Tensor | tf.Variable):
        array = constant.numpy()
        return array.item() if array.ndim == 0 else array
    return constant
