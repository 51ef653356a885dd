"""How much of a model pruning can reach: the share of its channels and of its parameters."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mcuprune.channels.effect import RULES, WeightAxis
from mcuprune.channels.groups import Groups, LayerChannels
from mcuprune.channels.layout import BoolArray
from mcuprune.channels.variables import variable_of
from mcuprune.ir.keras_graph import LayerCall, layer_class


@dataclasses.dataclass(frozen=True)
class Share:
    """A part of a whole.

    Attributes:
        prunable: How many can be pruned.
        total: How many there are.

    >>> print(Share(9_999, 10_000))
    99.9% (9,999 of 10,000)
    """

    prunable: int
    total: int

    def __str__(self) -> str:
        # Rounded down: 100% means all of them.
        percent = 1000 * self.prunable // max(self.total, 1) / 10
        return f"{percent}% ({self.prunable:,} of {self.total:,})"


@dataclasses.dataclass(frozen=True)
class FrozenLayer:
    """A layer whose output channels cannot be pruned.

    Attributes:
        name: Its path.
        kind: Its class.
        reason: What holds its channels.
    """

    name: str
    kind: str
    reason: str


def channel_share(groups: Groups) -> Share:
    """Return how many of the channels that layers make can be pruned.

    Those that a layer makes whose channels nobody can follow count among all.
    """
    prunable = sum(group.width for group in groups.prunable)
    made = sum(group.width for group in groups.groups.values())
    apart = sum(groups.layouts[call.outputs[0]].size for call in _unfollowed(groups).values())
    return Share(prunable, made + apart)


def parameter_share(groups: Groups) -> Share:
    """Return how many of the model's weights make or read a channel that can be pruned."""
    prunable = np.zeros(len(groups.names) + 1, dtype=np.bool_)
    for group in groups.prunable:
        prunable[groups.slices[group.name]] = True
    total = sum(
        _size(weight) for layer in groups.graph.layers.values() for weight in _weights(layer)
    )
    reached = sum(_reached(one, prunable) for one in groups.layers.values())
    return Share(reached, total)


def frozen_layers(groups: Groups) -> tuple[FrozenLayer, ...]:
    """Return the layers that make channels which cannot be pruned, in execution order."""
    reasons = {name: str(_reason(call)) for name, call in _unfollowed(groups).items()}
    for group in groups.groups.values():
        if group.frozen is not None:
            reasons |= dict.fromkeys(group.producers, group.frozen)
    return tuple(
        FrozenLayer(name, layer_class(layer).__name__, reasons[name])
        for name, layer in groups.graph.layers.items()
        if name in reasons
    )


def _unfollowed(groups: Groups) -> dict[str, LayerCall]:
    """Return the first calls of layers that make channels which nobody can follow."""
    calls = {call.name: call for call in reversed(groups.graph.calls)}
    return {n: c for n, c in calls.items() if _weights(c.layer) and _reason(c) is not None}


def _reason(call: LayerCall) -> str | None:
    if RULES.find(call.layer) is None:
        return "it has no channel rule"
    is_first = getattr(call.layer, "data_format", None) == "channels_first"
    return "it keeps channels first" if is_first else None


def _reached(one: LayerChannels, prunable: BoolArray) -> int:
    """Return how many elements of a layer's weights stand at a prunable channel on some axis."""
    axes: dict[str, list[WeightAxis]] = {}
    for axis in one.axes:
        axes.setdefault(axis.weight, []).append(axis)
    return sum(_reached_of(variable_of(one.layer, n), held, prunable) for n, held in axes.items())


def _reached_of(weight: Any, axes: list[WeightAxis], prunable: BoolArray) -> int:
    shape = [int(length) for length in weight.shape]
    apart = list(shape)
    for axis in axes:
        # The last entry stands for positions without a channel: FIXED is -1.
        apart[axis.axis] = int((~prunable[axis.layout.channels]).sum())
    return math.prod(shape) - math.prod(apart)


def _weights(layer: Any) -> list[Any]:
    """Return a layer's weights; operations have none."""
    return list(getattr(layer, "weights", ()))


def _size(weight: Any) -> int:
    return math.prod(int(length) for length in weight.shape)
