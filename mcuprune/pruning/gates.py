"""Gates: one number in [0, 1] per channel, multiplied into the weights that read the channel.

A gate stands at the *consumers* of its channel: the slice of each consumer's kernel that reads
the channel is multiplied by it. Whatever lies between producer and consumer (batch norm,
activation, depthwise, pooling) handles channels one by one, so a closed gate computes exactly what
the network without the channel computes, for any activation. It costs a multiplication per weight,
not per activation.

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

from mcuprune.channels.groups import Group, Groups
from mcuprune.channels.layout import IntArray
from mcuprune.channels.rules import WeightAxis

FloatArray = npt.NDArray[np.float64]


class Gates:
    """The gates of all prunable groups of a model, attached to its layers.

    Args:
        model: The model that ``groups`` was found on.
        groups: Its coupling groups.
        gated: The groups to gate.
        values: Gate of each channel per group; all open (1.0) when absent.

    Attributes:
        groups: Names of the gated groups, in order.
    """

    def __init__(
        self,
        model: Any,
        groups: Groups,
        gated: Sequence[Group],
        values: Mapping[str, FloatArray] | None = None,
    ) -> None:
        import tensorflow as tf

        self._model = model
        self._all_groups = groups
        self._first, count = _first_index(gated)
        self.groups = tuple(self._first)
        self._widths = [groups.groups[name].width for name in self.groups]
        flat = np.ones(count + 1)
        for name, value in (values or {}).items():
            flat[self._slice(name)] = value
        self._values = flat
        self._open = tf.Variable(flat, dtype=tf.float32, trainable=False, name="gates")
        self._sensitivity: Any = None
        self._host: Any = None
        self._gated: list[Any] = []

    def attach(self) -> None:
        """Put the gates into the layers."""
        layers = {layer.name: layer for layer in self._model.layers}
        for name, channels in self._all_groups.layers.items():
            for axis in channels.gates:
                if any(group in self._first for group in axis.layout.groups):
                    self._gate(layers[name], axis)
        self._host = self._gated[0]
        self._sensitivity = self._carrier()

    def detach(self) -> None:
        """Take the gates out: the layers are what they were, their weights ungated."""
        for layer in self._gated:
            layer.__class__ = layer._mcuprune_base
            for attribute in ("_mcuprune_gates", "_mcuprune_weight"):
                del layer.__dict__[attribute]
        self._host._untrack_variable(self._sensitivity)
        self._gated = []

    def fold(self) -> None:
        """Multiply the gates into the weights for good and open them.

        The gated and the folded model compute the same.
        """
        layers = {layer.name: layer for layer in self._model.layers}
        for name, channels in self._all_groups.layers.items():
            for axis in channels.gates:
                weight = _raw_weight(layers[name], axis.weight)
                gate = self._values[self._index(axis)]
                weight.assign(weight.numpy() * gate.reshape(_along(weight.shape, axis.axis)))
        self.assign({name: np.ones(w) for name, w in zip(self.groups, self._widths, strict=True)})

    def assign(self, values: Mapping[str, FloatArray]) -> None:
        """Set the gates of some groups."""
        for name, value in values.items():
            self._values[self._slice(name)] = value
        self._open.assign(self._values)

    def values(self) -> dict[str, FloatArray]:
        """Return the gates per group."""
        return {name: self._values[self._slice(name)].copy() for name in self.groups}

    def sensitivities(self) -> dict[str, FloatArray]:
        """Return the loss's derivative by each gate in the last training step, per group."""
        flat = self._sensitivity.numpy().astype(np.float64)
        return {name: flat[self._slice(name)] for name in self.groups}

    def _gate(self, layer: Any, axis: WeightAxis) -> None:
        if layer not in self._gated:
            layer.__class__ = _gated_class(type(layer), axis.weight)
            layer.__dict__["_mcuprune_gates"] = self
            layer.__dict__["_mcuprune_weight"] = (axis, self._index(axis))
            self._gated.append(layer)

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

    def _carrier(self) -> Any:
        self._host._tracker.unlock()
        carrier = self._host.add_weight(
            shape=(len(self._values),),
            initializer="zeros",
            dtype="float32",
            name="gate_sensitivity",
            autocast=False,
        )
        self._host._tracker.lock()
        carrier.overwrite_with_gradient = True
        return carrier

    def _index(self, axis: WeightAxis) -> IntArray:
        return axis.layout.gate_index(self._first, always_open=len(self._values) - 1)

    def _slice(self, group: str) -> slice:
        start = self._first[group]
        return slice(start, start + self._all_groups.groups[group].width)


def left_in(model: Any) -> list[Gates]:
    """Return gates that an earlier training left in a model when it was broken off."""
    found = [layer.__dict__.get("_mcuprune_gates") for layer in getattr(model, "layers", ())]
    return list({id(gates): gates for gates in found if gates is not None}.values())


def _first_index(groups: Sequence[Group]) -> tuple[dict[str, int], int]:
    first, count = {}, 0
    for group in groups:
        first[group.name] = count
        count += group.width
    return first, count


def _along(shape: Any, axis: int) -> list[int]:
    """Return the shape in which a vector broadcasts along one axis of ``shape``."""
    target = [1] * len(shape)
    target[axis] = -1
    return target


_classes: dict[tuple[type, str], type] = {}


def _gated_class(base: type, weight: str) -> type:
    """Return a subclass of ``base`` whose attribute ``weight`` is the gated weight.

    It carries its base's name, so that a checkpoint written meanwhile loads without this package.
    """
    if (base, weight) not in _classes:

        def gated_weight(layer: Any) -> Any:
            axis, index = layer._mcuprune_weight
            raw = _raw_weight(layer, weight)
            import tensorflow as tf

            return layer._mcuprune_gates.gated(tf.convert_to_tensor(raw), axis, index)

        _classes[base, weight] = type(
            base.__name__,
            (base,),
            {
                "_mcuprune_base": base,
                "__module__": base.__module__,
                "__qualname__": base.__qualname__,
                "__doc__": base.__doc__,
                weight: property(gated_weight),
            },
        )
    return _classes[base, weight]


def _raw_weight(layer: Any, weight: str) -> Any:
    base = getattr(layer, "_mcuprune_base", type(layer))
    declared = getattr(base, weight, None)
    if isinstance(declared, property):
        return declared.__get__(layer)
    return layer.__dict__[weight]
