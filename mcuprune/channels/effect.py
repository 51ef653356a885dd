"""What a layer does to channels, as its rule states it; the table of rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mcuprune.channels.layout import Layout
from mcuprune.ir.keras_graph import LayerCall
from mcuprune.ir.layer_rules import LayerRules


@dataclasses.dataclass(frozen=True)
class WeightAxis:
    """One axis of one weight that follows a layout.

    Attributes:
        weight: Attribute name on the layer (``"kernel"``, ``"gamma"``).
        axis: Axis of the weight, may be negative.
        layout: What stands along it.
    """

    weight: str
    axis: int
    layout: Layout


@dataclasses.dataclass(frozen=True)
class ConfigSize:
    """An integer that a layer keeps and that equals a layout's size.

    Attributes:
        key: Name of the attribute and, where the layer has one, of its config's entry
            (``"filters"``).
        layout: The layout.
        index: Position inside the entry where it is a sequence (``target_shape``), else None.
    """

    key: str
    layout: Layout
    index: int | None = None


@dataclasses.dataclass(frozen=True)
class SplitPoints:
    """Positions on the channel axis at which a ``keras.ops.split`` divides it.

    Attributes:
        key: Name of the attribute that holds them.
        layout: What is divided.
        points: First positions of all parts but the first.
    """

    key: str
    layout: Layout
    points: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class SliceBounds:
    """A slice of the channel axis in a call such as ``x[..., 4:8]``.

    Attributes:
        place: Place of the slice in the call's key, None if it is the whole key.
        layout: What is sliced.
        start: First position of the slice.
        stop: The one after its last.
    """

    place: int | None
    layout: Layout
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a layer does to channels.

    Attributes:
        output: Layout of the layer's output, or one for each of its outputs.
        axes: Weight axes to slice when channels go.
        gates: The axes among them along which the layer mixes its input's channels: a closed
            gate there is the same as the channel's absence.
        sizes: Integers to rewrite.
        statistics: The channels over which a normalization layer takes its statistics, if it
            mixes any: closed ones do not count.
        split: Where a split divides the channels.
        bounds: Where a slice cuts them.
    """

    output: Layout | tuple[Layout, ...]
    axes: tuple[WeightAxis, ...] = ()
    gates: tuple[WeightAxis, ...] = ()
    sizes: tuple[ConfigSize, ...] = ()
    statistics: Layout | None = None
    split: SplitPoints | None = None
    bounds: SliceBounds | None = None

    @property
    def outputs(self) -> tuple[Layout, ...]:
        """One layout for each of the layer's outputs."""
        return (self.output,) if isinstance(self.output, Layout) else self.output

    @property
    def is_bound(self) -> bool:
        """Whether the layer holds anything that depends on channels."""
        return bool(self.axes or self.sizes or self.statistics or self.split or self.bounds)


# Two layouts of one size whose channels live or die together, position by position.
Tie = tuple[Layout, Layout]


class Coupler(Protocol):
    """What a rule may ask for while the groups are being found."""

    def new_group(self, width: int) -> Layout:
        """Return the layout of ``width`` new channels made by this layer."""
        ...

    def couple(self, layouts: Sequence[Layout]) -> Layout:
        """Tie layouts position by position, a single position being spread over all others.

        Returns:
            The widest of them.
        """
        ...

    def tie(self, layout: Layout, other: Layout) -> None:
        """Let the channels of two layouts of one size live or die together by position."""
        ...

    def classes_after(self, ties: Sequence[Tie], among: Layout) -> int:
        """Return how many channels of a layout could go one by one, were these ties made."""
        ...

    def freeze(self, layout: Layout, reason: str) -> None:
        """Forbid pruning of every channel in ``layout``."""
        ...

    def shape(self, key: str) -> tuple[int | None, ...]:
        """Return the shape of a tensor, batch first."""
        ...


Rule = Callable[[LayerCall, Sequence[Layout], Coupler], Effect]

RULES = LayerRules[Rule]()
rule = RULES.register


def channel_rule(*layers: type) -> Callable[[Rule], Rule]:
    """Return a decorator that tells how channels pass through layers of your own.

    The rule is called with the layer's call, the layouts of its inputs and a :class:`Coupler`. It
    returns an :class:`Effect`. A layer without a rule freezes the groups around it.

    Args:
        layers: The layer classes, derived from ``keras.Layer``.

    Raises:
        TypeError: Something else than classes.

    Example:
        >>> import keras
        >>> class Scale(keras.Layer):
        ...     def build(self, shape):
        ...         self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")
        ...
        ...     def call(self, x):
        ...         return x * self.factor
        >>> @channel_rule(Scale)
        ... def scale(call, inputs, coupler):
        ...     return Effect(inputs[0], axes=(WeightAxis("factor", -1, inputs[0]),))
    """
    for layer in layers:
        if not isinstance(layer, type):
            raise TypeError(
                f"channel_rule got {layer!r}: give layer classes, @channel_rule(MyLayer)"
            )
    if not layers:
        raise TypeError("channel_rule got no layer class: write @channel_rule(MyLayer)")
    return RULES.register_class(*layers)


def present(layer: Any, names: Sequence[str], layout: Layout) -> tuple[WeightAxis, ...]:
    """Return the last axes of those of a layer's weights that it has."""
    found = [name for name in names if getattr(layer, name, None) is not None]
    return tuple(WeightAxis(name, -1, layout) for name in found)


def mixing_activation(layer: Any) -> bool:
    """Return whether a layer's activation runs over all channels together."""
    import keras

    names = ("softmax", "log_softmax", "sparsemax", "glu")
    known = [getattr(keras.activations, name) for name in names]
    return getattr(layer, "activation", None) in known
