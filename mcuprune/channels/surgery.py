"""Cuts channels out of a Keras model for good: weights, batch-norm statistics, configs.

:func:`narrowed` builds the smaller model beside the old one; :func:`cut` lets the old object
become it, so that a running ``fit`` goes on with the same ``keras.Model``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.channels.groups import Groups
from mcuprune.channels.layout import IntArray
from mcuprune.channels.rules import ConfigSize, WeightAxis

Keep = Mapping[str, IntArray]


def narrowed(model: Any, groups: Groups, keep: Keep) -> Any:
    """Build a smaller copy of a model.

    Args:
        model: The functional or Sequential model that ``groups`` was found on, without gates.
        groups: Its coupling groups.
        keep: For each group the indices of the channels that stay, ascending; a group that is
            absent keeps all.

    Returns:
        A new, uncompiled model with the same layer names; every weight that follows a group is
        sliced, every other one is copied.

    Raises:
        ValueError: A group would lose all its channels.
    """
    import keras

    for name, indices in keep.items():
        if len(indices) == 0:
            raise ValueError(f"group {name!r} would lose all its channels; keep at least one")

    def clone(layer: Any) -> Any:
        sizes = groups.layers[layer.name].sizes if layer.name in groups.layers else ()
        return type(layer).from_config(_config(layer, sizes, keep))

    copy = keras.models.clone_model(model, clone_function=clone)
    for old, new in zip(model.layers, copy.layers, strict=True):
        _copy_weights(old, new, groups, keep)
    return copy


def _config(layer: Any, sizes: Sequence[ConfigSize], keep: Keep) -> dict[str, Any]:
    config: dict[str, Any] = layer.get_config()
    for size in sizes:
        value = len(size.layout.positions(keep))
        if size.index is None:
            config[size.key] = value
        else:
            entry = list(config[size.key])
            entry[size.index] = value
            config[size.key] = tuple(entry)
    return config


def _copy_weights(old: Any, new: Any, groups: Groups, keep: Keep) -> None:
    slices = variable_slices(old, groups)
    for before, after in zip(old.variables, new.variables, strict=True):
        after.assign(sliced(before.numpy(), slices.get(id(before), ()), keep))


def variable_slices(layer: Any, groups: Groups) -> dict[int, tuple[WeightAxis, ...]]:
    """Return the axes to slice per variable of a layer, by the variable's ``id``."""
    if layer.name not in groups.layers:
        return {}
    slices: dict[int, tuple[WeightAxis, ...]] = {}
    for axis in groups.layers[layer.name].axes:
        variable = getattr(layer, axis.weight)
        slices[id(variable)] = (*slices.get(id(variable), ()), axis)
    return slices


def sliced(value: np.ndarray, axes: Sequence[WeightAxis], keep: Keep) -> np.ndarray:
    """Return an array with the kept positions of each axis."""
    for axis in axes:
        value = np.take(value, axis.layout.positions(keep), axis=axis.axis)
    return value


@dataclasses.dataclass(frozen=True)
class Succession:
    """Which variable took which one's place in a cut.

    Attributes:
        successors: New variable by the old one's ``id``.
        axes: Sliced axes by the old variable's ``id``.
        keep: The channels that stayed.
    """

    successors: Mapping[int, Any]
    axes: Mapping[int, tuple[WeightAxis, ...]]
    keep: Keep

    def slice_like(self, value: np.ndarray, variable: Any) -> np.ndarray:
        """Slice an array as ``variable`` (an old one of the same shape) was sliced."""
        return sliced(value, self.axes.get(id(variable), ()), self.keep)


def cut(model: Any, groups: Groups, keep: Keep) -> Succession:
    """Remove channels from a model in place.

    The object stays the same, compiled as before; its layers and variables are new ones. The
    optimizer still knows the old variables: see ``channels.optimizer.rebuild_optimizer``.

    Args:
        model: The functional or Sequential model that ``groups`` was found on, without gates.
        groups: Its coupling groups.
        keep: For each group the indices of the channels that stay, ascending.

    Raises:
        ValueError: A group would lose all its channels.
    """
    small = narrowed(model, groups, keep)
    successors: dict[int, Any] = {}
    axes: dict[int, tuple[WeightAxis, ...]] = {}
    for old, new in zip(model.layers, small.layers, strict=True):
        successors |= {id(a): b for a, b in zip(old.variables, new.variables, strict=True)}
        axes |= variable_slices(old, groups)
    _take_over(model, small)
    return Succession(successors, axes, keep)


# What makes a Functional model the graph it is; everything else (compile state, name) stays.
_GRAPH_ATTRIBUTES = (
    "_inputs_struct",
    "_outputs_struct",
    "_inputs",
    "_outputs",
    "_nodes",
    "_nodes_by_depth",
    "_operations",
    "_operations_by_depth",
    "output_names",
)


def _take_over(model: Any, source: Any) -> None:
    """Let ``model`` become ``source``, which must not be used afterwards."""
    import keras

    for layer in list(model._layers):
        model._tracker.untrack(layer)
    if isinstance(model, keras.Sequential):
        model._tracker.untrack(model._functional)
        model._layers = list(source._layers)
        model._functional = source._functional
    else:
        _take_over_graph(model, source)
    if model.compiled:
        with keras.src.utils.tracking.DotNotTrackScope():
            state = {layer: layer.trainable for layer in model._flatten_layers()}
            model._compiled_trainable_state = state


def _take_over_graph(model: Any, source: Any) -> None:
    import keras

    with keras.src.utils.tracking.DotNotTrackScope():
        for name in _GRAPH_ATTRIBUTES:
            setattr(model, name, getattr(source, name))
    for layer in source.layers:
        model._tracker.track(layer)
