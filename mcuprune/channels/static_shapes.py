"""Writes anew what Keras derived from tensor shapes when a model was built.

These are private parts of Keras 3.15: the shape of each ``KerasTensor``, the input shapes that a
layer was built with (saved in ``.keras`` files), its input spec, and the batch shape of the input
layers of nested models. The tests save, load, clone and summarise models after cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mcuprune.channels.groups import Groups

Shape = tuple[int | None, ...]


def refresh_shapes(groups: Groups) -> None:
    """Write the last dimension of every tensor as the layouts say, and all that follows from it.

    Args:
        groups: The groups after a cut.
    """
    for key, layout in groups.layouts.items():
        for tensor in groups.graph.tensors[key]:
            if len(tensor.shape) > 1 and tensor.shape[-1] is not None:
                tensor._shape = (*tensor.shape[:-1], layout.size)
    for call in groups.graph.calls:
        _refresh_layer(call.layer, [tuple(t.shape) for t in call.node.input_tensors])
    for model, shapes in _nested(groups):
        _refresh_build_shapes(model, shapes)
        _refresh_inputs(model)


def _refresh_layer(layer: Any, shapes: Sequence[Shape]) -> None:
    _refresh_build_shapes(layer, shapes)
    spec = getattr(layer, "input_spec", None)
    for one, shape in zip(spec if isinstance(spec, list) else [spec], shapes, strict=False):
        if one is not None and one.axes:
            one.axes = {axis: shape[axis] for axis in one.axes}


def _refresh_build_shapes(layer: Any, shapes: Sequence[Shape]) -> None:
    """Rewrite the shapes with which ``build`` was called; their structure stays."""
    import keras

    built = getattr(layer, "_build_shapes_dict", None)
    if not built:
        return
    fresh = iter(shapes)

    def renewed(value: Any) -> Any:
        if _is_shape(value):
            return _known_as_before(value, next(fresh, value))
        if isinstance(value, list | tuple):
            return type(value)(renewed(item) for item in value)
        return value

    if sum(_count_shapes(value) for value in built.values()) == len(shapes):
        with keras.src.utils.tracking.DotNotTrackScope():
            layer._build_shapes_dict = {name: renewed(value) for name, value in built.items()}


def _known_as_before(old: Shape, new: Shape) -> Shape:
    """Return the new shape, with dimensions that were unknown to ``build`` left unknown."""
    if len(old) != len(new):
        return old
    return tuple(None if a is None else b for a, b in zip(old, new, strict=True))


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(
        item is None or isinstance(item, int) for item in value
    )


def _count_shapes(value: Any) -> int:
    if _is_shape(value):
        return 1
    return sum(_count_shapes(item) for item in value) if isinstance(value, list | tuple) else 0


def _nested(groups: Groups) -> Iterator[tuple[Any, list[Shape]]]:
    """Yield the nested models with the shapes they are called with."""
    for model, node in groups.graph.nested:
        yield model, [tuple(tensor.shape) for tensor in node.input_tensors]


def _refresh_inputs(model: Any) -> None:
    """Let a nested model's input layers have the shapes of their tensors."""
    for tensor in model.inputs:
        layer = tensor._keras_history.operation
        if hasattr(layer, "_batch_shape"):
            layer._batch_shape = tuple(tensor.shape)
