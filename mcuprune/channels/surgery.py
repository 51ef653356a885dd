"""Cuts channels out of a Keras model for good: weights, batch-norm statistics, configs, shapes.

A cut works in place. The model, the models nested in it, its layers and their variables stay the
same objects; the variables hold smaller arrays, and everything that Keras derived from the old
shapes when the graph was built (static shapes, input specs, build configs) is written anew. So the
user's own references stay right, an optimizer keeps its variables, and nothing is built again:
calling the layers of a network anew to trace its shapes takes Keras seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.channels.effect import ConfigSize, SliceBounds, WeightAxis
from mcuprune.channels.groups import Groups, Keep, LayerChannels, bounds_after, points_after
from mcuprune.channels.layout import BoolArray
from mcuprune.channels.static_shapes import refresh_shapes
from mcuprune.channels.variables import replace_value, variable_of


@dataclasses.dataclass(frozen=True)
class Cut:
    """What a cut has done.

    Attributes:
        groups: The coupling groups of the smaller model.
        axes: Sliced axes by the variable's ``id``.
        alive: For each channel before the cut whether it has stayed.
    """

    groups: Groups
    axes: Mapping[int, tuple[WeightAxis, ...]]
    alive: BoolArray

    def slice_like(self, value: np.ndarray, variable: Any) -> np.ndarray:
        """Slice an array of the variable's old shape as the variable was sliced."""
        return _sliced(value, self.axes.get(id(variable), ()), self.alive)


def cut(groups: Groups, keep: Keep) -> Cut:
    """Remove channels from a model, in place.

    The optimizer's slots keep their old shapes: see ``channels.optimizer``. Functions that Keras or
    the user has traced for the old shapes have to be made anew.

    Args:
        groups: The coupling groups of the model. Gates may be attached; they have to be narrowed
            by their owner.
        keep: For each group the indices of the channels that stay, ascending; a group that is
            absent keeps all.

    Returns:
        The groups of the smaller model, and what is needed to slice the optimizer's slots.

    Raises:
        ValueError: A group would lose all its channels, or is frozen. The model is untouched.
    """
    alive = groups.alive(keep)
    axes = variable_axes(groups)
    smaller = [
        (variable, _sliced(variable.numpy(), axes[id(variable)], alive))
        for variable in _variables(groups)
    ]
    for variable, value in smaller:
        replace_value(variable, value)
    for channels in groups.layers.values():
        _rewrite_layer(channels, alive)
    after = groups.after(alive)
    refresh_shapes(after)
    return Cut(after, axes, alive)


def variable_axes(groups: Groups) -> dict[int, tuple[WeightAxis, ...]]:
    """Return the axes that follow channels per variable, by the variable's ``id``."""
    axes: dict[int, tuple[WeightAxis, ...]] = {}
    for channels in groups.layers.values():
        for axis in channels.axes:
            variable = variable_of(channels.layer, axis.weight)
            axes[id(variable)] = (*axes.get(id(variable), ()), axis)
    return axes


def _variables(groups: Groups) -> list[Any]:
    found = [
        variable_of(channels.layer, axis.weight)
        for channels in groups.layers.values()
        for axis in channels.axes
    ]
    return list({id(variable): variable for variable in found}.values())


def _sliced(value: np.ndarray, axes: Sequence[WeightAxis], alive: BoolArray) -> np.ndarray:
    for axis in axes:
        positions = axis.layout.positions(alive)
        if len(positions) < value.shape[axis.axis]:
            value = np.take(value, positions, axis=axis.axis)
    return value


def _rewrite_layer(channels: LayerChannels, alive: BoolArray) -> None:
    """Write a layer's integers anew."""
    effect = channels.effect
    for size in effect.sizes:
        _rewrite_size(channels.layer, size, len(size.layout.positions(alive)))
    if effect.split is not None:
        _set(channels.layer, effect.split.key, points_after(effect.split, alive))
    if effect.bounds is not None:
        for node in channels.nodes:
            _rewrite_bounds(node, effect.bounds, bounds_after(effect.bounds, alive))


def _rewrite_size(layer: Any, size: ConfigSize, value: int) -> None:
    if size.index is None:
        _set(layer, size.key, value)
        return
    entry = list(getattr(layer, size.key))
    entry[size.index] = value
    _set(layer, size.key, tuple(entry))


def _set(layer: Any, key: str, value: Any) -> None:
    """Set an attribute, and the config's entry where Keras keeps the arguments as they came."""
    if hasattr(layer, key):
        setattr(layer, key, value)
    recorded = getattr(layer, "_auto_config", None)
    if recorded is not None and key in recorded.config:
        recorded.config[key] = value


def _rewrite_bounds(node: Any, bounds: SliceBounds, after: tuple[int, int]) -> None:
    """Put new bounds into the recorded call of a slice; what was left open stays open."""
    source, key = node.arguments.args
    entries = [key] if bounds.place is None else list(key)
    place = bounds.place or 0
    old, (start, stop) = entries[place], after
    entries[place] = slice(None if old.start is None else start, None if old.stop is None else stop)
    node.arguments = type(node.arguments)(
        source, entries[0] if bounds.place is None else tuple(entries)
    )
