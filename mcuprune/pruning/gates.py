"""Gates: one number in [0, 1] per channel, multiplied into the weights that read the channel.

A gate stands at the *consumers* of its channel: the slice of each consumer's kernel that reads
the channel is multiplied by it. Whatever lies between producer and consumer (batch norm,
activation, depthwise, pooling) handles channels one by one, so a closed gate computes exactly what
the network without the channel computes, for any activation. It costs a multiplication per weight,
not per activation. Where a layer takes statistics over the channels, gates weight them.

The loss's gradient reaches the pruner through a *carrier*: a trainable variable whose value is
overwritten with its own gradient when the user's optimizer applies its step (Keras's
``overwrite_with_gradient``, made for float8 scales). So gates need no place in the user's
optimizer: no slots, no weight decay, no clipping, no dependence on its learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.channels.effect import WeightAxis
from mcuprune.channels.groups import Group, Groups, LayerChannels
from mcuprune.channels.layout import BoolArray, IntArray, Layout
from mcuprune.channels.optimizer import Slice
from mcuprune.channels.surgery import Cut
from mcuprune.channels.variables import replace_value, variable_of
from mcuprune.pruning.gated_norms import gated_normalization

FloatArray = npt.NDArray[np.float64]


class Gates:
    """The gates of the prunable groups of a model, attached to its layers.

    Args:
        model: The model that ``groups`` was found on.
        groups: Its coupling groups.
        gated: The groups to gate; the channels of all others stay open.

    Attributes:
        groups: Names of the gated groups, in order.
    """

    def __init__(self, model: Any, groups: Groups, gated: Sequence[Group]) -> None:
        import tensorflow as tf

        self._model = model
        self._all = groups
        self.groups = tuple(group.name for group in gated)
        # One per channel of the model, and one more that is always open.
        self._values = np.ones(len(groups.names) + 1)
        self._open = tf.Variable(self._values, dtype=tf.float32, trainable=False, name="gates")
        self._sensitivity: Any = None
        self._host: Any = None
        self._gated: list[Any] = []

    def attach(self) -> None:
        """Put the gates into the layers."""
        for channels in self._gated_layers():
            weights = {axis.weight: axis for axis in channels.gates}
            statistics = channels.effect.statistics
            layer = channels.layer
            layer.__class__ = _gated_class(type(layer), tuple(weights), statistics is not None)
            layer.__dict__["_mcuprune_gates"] = self
            self._gated.append(layer)
        self._point()
        self._host = next((layer for layer in self._gated if layer.trainable), self._model)
        self._sensitivity = self._carrier()

    def detach(self) -> None:
        """Take the gates out: the layers are what they were, their weights ungated."""
        for layer in self._gated:
            layer.__class__ = layer._mcuprune_base
            for attribute in ("_mcuprune_gates", "_mcuprune_weights", "_mcuprune_statistics"):
                layer.__dict__.pop(attribute)
        self._host._untrack_variable(self._sensitivity)
        self._gated = []

    def narrow(self, groups: Groups, alive: BoolArray) -> None:
        """Follow a cut of the model; the gates of the channels that stay keep their values.

        Args:
            groups: The coupling groups after the cut.
            alive: For each channel before the cut whether it has stayed.
        """
        import tensorflow as tf

        self._all = groups
        self._values = self._values[np.append(alive, True)]
        self._open = tf.Variable(self._values, dtype=tf.float32, trainable=False, name="gates")
        replace_value(self._sensitivity, np.zeros(len(self._values), dtype=np.float32))
        self._point()

    def slicing(self, done: Cut) -> Slice:
        """Return how a cut slices optimizer slots, the carrier's included."""
        stays = np.append(done.alive, True)

        def slice_slot(value: np.ndarray, variable: Any) -> np.ndarray:
            is_carrier = variable is self._sensitivity
            return value[stays] if is_carrier else done.slice_like(value, variable)

        return slice_slot

    def fold(self) -> None:
        """Multiply the gates into the weights for good and open them.

        The gated and the folded model compute the same, but for statistics over channels
        (layer normalization), in which all channels then count in full.
        """
        for channels in self._gated_layers():
            for axis in channels.gates:
                weight = variable_of(channels.layer, axis.weight)
                gate = self._values[self._index(axis.layout)]
                weight.assign(weight.numpy() * gate.reshape(_along(weight.shape, axis.axis)))
        self.assign({name: np.ones(self._all.groups[name].width) for name in self.groups})

    def assign(self, values: Mapping[str, FloatArray]) -> None:
        """Set the gates of some groups."""
        for name, value in values.items():
            self._values[self._all.slices[name]] = value
        self._open.assign(self._values)

    def values(self) -> dict[str, FloatArray]:
        """Return the gates per group."""
        return {name: self._values[self._all.slices[name]].copy() for name in self.groups}

    def sensitivities(self) -> dict[str, FloatArray]:
        """Return the loss's derivative by each gate in the last training step, per group."""
        flat = self._sensitivity.numpy().astype(np.float64)
        return {name: flat[self._all.slices[name]] for name in self.groups}

    def gated(self, weight: Any, axis: WeightAxis, index: IntArray) -> Any:
        """Return a weight multiplied by the gates along one axis."""
        import tensorflow as tf

        rank = len(weight.shape)
        others = [d for d in range(rank) if d != axis.axis % rank]
        gate = tf.cast(tf.gather(self._open.read_value(), index), weight.dtype)
        gate = tf.reshape(gate, _along(weight.shape, axis.axis))
        count = len(self._values)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def multiply(weight: Any, gate: Any, carrier: Any) -> Any:
            def gradient(up: Any) -> Any:
                by_position = tf.reduce_sum(up * weight, axis=others)
                by_gate = tf.math.unsorted_segment_sum(by_position, index, count)
                return up * gate, None, tf.cast(by_gate, carrier.dtype)

            return weight * gate, gradient

        return multiply(weight, gate, tf.convert_to_tensor(self._sensitivity))

    def at(self, index: IntArray) -> Any:
        """Return the gates at some positions, float32, differentiable by the carrier."""
        import tensorflow as tf

        gates = self._open.read_value()

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def carried(carrier: Any) -> Any:
            return tf.cast(gates, carrier.dtype), lambda up: up

        return tf.gather(carried(tf.convert_to_tensor(self._sensitivity)), index)

    def _gated_layers(self) -> list[LayerChannels]:
        """Return the layers that mix channels of gated groups."""
        numbers = [np.arange(len(self._all.names))[self._all.slices[name]] for name in self.groups]
        ours = np.concatenate(numbers)
        return [
            channels
            for channels in self._all.layers.values()
            if any(np.isin(layout.numbers, ours).any() for layout in _mixed(channels))
        ]

    def _point(self) -> None:
        """Let each gated layer know where its channels' gates are."""
        for channels in self._gated_layers():
            effect = channels.effect
            weights = {a.weight: (a, self._index(a.layout)) for a in effect.gates}
            channels.layer.__dict__["_mcuprune_weights"] = weights
            statistics = None if effect.statistics is None else self._index(effect.statistics)
            channels.layer.__dict__["_mcuprune_statistics"] = statistics

    def _carrier(self) -> Any:
        self._host._tracker.unlock()
        carrier = self._host.add_weight(
            shape=(len(self._values),),
            initializer="zeros",
            dtype="float32",
            name="gate_sensitivity",
            autocast=False,
            # Of several replicas each has the derivative of its own share of the loss.
            aggregation="sum",
        )
        self._host._tracker.lock()
        carrier.overwrite_with_gradient = True
        return carrier

    def _index(self, layout: Layout) -> IntArray:
        return np.where(layout.channels >= 0, layout.channels, len(self._values) - 1)


def left_in(model: Any) -> list[Gates]:
    """Return gates that an earlier training left in a model when it was broken off."""
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else ()
    found = [layer.__dict__.get("_mcuprune_gates") for layer in layers]
    return list({id(gates): gates for gates in found if gates is not None}.values())


def _mixed(channels: LayerChannels) -> list[Layout]:
    mixed = [axis.layout for axis in channels.gates]
    statistics = channels.effect.statistics
    return mixed if statistics is None else [*mixed, statistics]


def _along(shape: Any, axis: int) -> list[int]:
    """Return the shape in which a vector broadcasts along one axis of ``shape``."""
    target = [1] * len(shape)
    target[axis] = -1
    return target


_classes: dict[tuple[type, tuple[str, ...], bool], type] = {}


def _gated_class(base: type, weights: tuple[str, ...], has_statistics: bool) -> type:
    """Return a subclass of ``base`` whose attributes ``weights`` are the gated weights.

    It carries its base's name, so that a checkpoint written meanwhile loads without this package.
    """
    key = (base, weights, has_statistics)
    if key not in _classes:
        changed: dict[str, Any] = {weight: _gated_weight(weight) for weight in weights}
        if has_statistics:
            changed["call"] = _gated_call
        kept = {n: getattr(base, n) for n in ("__module__", "__qualname__", "__doc__")}
        _classes[key] = type(base.__name__, (base,), {"_mcuprune_base": base, **kept, **changed})
    return _classes[key]


def _gated_weight(weight: str) -> property:
    def gated(layer: Any) -> Any:
        import tensorflow as tf

        axis, index = layer._mcuprune_weights[weight]
        raw = tf.convert_to_tensor(variable_of(layer, weight))
        return layer._mcuprune_gates.gated(raw, axis, index)

    return property(gated)


def _gated_call(layer: Any, inputs: Any) -> Any:
    return gated_normalization(layer, inputs, layer._mcuprune_gates.at(layer._mcuprune_statistics))
