"""One small rule per layer type: how channels pass through it, and which weights they index."""

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
    """An integer in a layer's config that equals a layout's size.

    Attributes:
        key: Key of the config (``"filters"``).
        layout: The layout.
        index: Position inside the entry where it is a sequence (``target_shape``), else None.
    """

    key: str
    layout: Layout
    index: int | None = None


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a layer does to channels.

    Attributes:
        output: Layout of the layer's output.
        axes: Weight axes to slice when channels go.
        gates: The axes among them along which the layer mixes its input's channels: a closed
            gate there is the same as the channel's absence.
        sizes: Config entries to rewrite.
    """

    output: Layout
    axes: tuple[WeightAxis, ...] = ()
    gates: tuple[WeightAxis, ...] = ()
    sizes: tuple[ConfigSize, ...] = ()


class Coupler(Protocol):
    """What a rule may ask for while the groups are being found."""

    def new_group(self, width: int) -> Layout:
        """Return the layout of a new group of ``width`` channels made by this layer."""
        ...

    def couple(self, layouts: Sequence[Layout]) -> Layout:
        """Tie layouts position by position; return the common one."""
        ...

    def freeze(self, layout: Layout, reason: str) -> None:
        """Forbid pruning of every group in ``layout``."""
        ...

    def shape(self, key: str) -> tuple[int | None, ...]:
        """Return the shape of a tensor, batch first."""
        ...


Rule = Callable[[LayerCall, Sequence[Layout], Coupler], Effect]

RULES = LayerRules[Rule]()
rule = RULES.register


def _optional(layer: Any, names: Sequence[str], layout: Layout) -> tuple[WeightAxis, ...]:
    present = [name for name in names if getattr(layer, name, None) is not None]
    return tuple(WeightAxis(name, -1, layout) for name in present)


def _mixes_channels(layer: Any) -> bool:
    import keras

    activation = getattr(layer, "activation", None)
    return activation in (keras.activations.softmax, keras.activations.log_softmax)


def _produce(call: LayerCall, width: int, coupler: Coupler) -> Layout:
    made = coupler.new_group(width)
    if _mixes_channels(call.layer):
        coupler.freeze(made, f"{call.layer.name} applies softmax over its channels")
    return made


@rule("Conv1D", "Conv2D", "Conv3D")
def convolution(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis -2 by input channels, axis -1 by output channels."""
    (source,) = inputs
    layer = call.layer
    made = _produce(call, layer.filters, coupler)
    if layer.groups != 1:
        coupler.freeze(source, f"{layer.name} is a grouped convolution")
        coupler.freeze(made, f"{layer.name} is a grouped convolution")
        return Effect(made)
    mixed = WeightAxis("kernel", -2, source)
    axes = (mixed, WeightAxis("kernel", -1, made), *_optional(layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))


@rule("Dense")
def dense(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis 0 by input features, axis 1 by units."""
    (source,) = inputs
    made = _produce(call, call.layer.units, coupler)
    mixed = WeightAxis("kernel", 0, source)
    axes = (mixed, WeightAxis("kernel", 1, made), *_optional(call.layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("units", made),))


@rule("Conv1DTranspose", "Conv2DTranspose")
def transposed_convolution(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis -2 by output channels, axis -1 by input channels."""
    (source,) = inputs
    made = _produce(call, call.layer.filters, coupler)
    mixed = WeightAxis("kernel", -1, source)
    axes = (mixed, WeightAxis("kernel", -2, made), *_optional(call.layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))


@rule("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Make ``depth_multiplier`` output channels of each input channel, mixing none."""
    (source,) = inputs
    made = source.repeated(call.layer.depth_multiplier)
    axes = (WeightAxis("kernel", -2, source), *_optional(call.layer, ["bias"], made))
    return Effect(made, axes)


@rule("SeparableConv1D", "SeparableConv2D")
def separable(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Spread channels by a depthwise step, then mix them by a pointwise one."""
    (source,) = inputs
    made = _produce(call, call.layer.filters, coupler)
    spread = source.repeated(call.layer.depth_multiplier)
    mixed = WeightAxis("pointwise_kernel", -2, spread)
    axes = (
        WeightAxis("depthwise_kernel", -2, source),
        mixed,
        WeightAxis("pointwise_kernel", -1, made),
        *_optional(call.layer, ["bias"], made),
    )
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))


@rule("BatchNormalization")
def batch_normalization(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Keep one scale, offset, mean and variance per channel."""
    (source,) = inputs
    rank = len(coupler.shape(call.inputs[0]))
    if call.layer.axis not in (-1, rank - 1):
        coupler.freeze(source, f"{call.layer.name} normalises axis {call.layer.axis}, not the last")
        return Effect(source)
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    return Effect(source, _optional(call.layer, names, source))


@rule(
    "Activation", "AveragePooling1D", "AveragePooling2D", "Cropping1D", "Cropping2D", "Dropout",
    "ELU", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Identity", "LeakyReLU", "MaxPooling1D",
    "MaxPooling2D", "ReLU", "Rescaling", "SpatialDropout1D", "SpatialDropout2D", "UpSampling1D",
    "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
)  # fmt: skip
def channelwise(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass each channel on by itself."""
    (source,) = inputs
    if getattr(call.layer, "data_format", "channels_last") == "channels_first":
        coupler.freeze(source, f"{call.layer.name} keeps channels first")
    if _mixes_channels(call.layer):
        coupler.freeze(source, f"{call.layer.name} applies softmax over its channels")
    return Effect(source)


@rule("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
def elementwise(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Let the channels of all inputs live or die together."""
    return Effect(coupler.couple(inputs))


@rule("Concatenate")
def concatenate(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Put the inputs' segments side by side; on another axis, couple them."""
    rank = len(coupler.shape(call.inputs[0]))
    if getattr(call.layer, "axis", -1) not in (-1, rank - 1):
        return Effect(coupler.couple(inputs))
    joined = Layout(tuple(s for layout in inputs for s in layout.segments))
    if any(layout.tiles != 1 for layout in inputs):
        coupler.freeze(joined, f"{call.layer.name} joins flattened tensors")
        return Effect(Layout.fixed(sum(layout.size for layout in inputs)))
    return Effect(joined)


@rule("Flatten")
def flatten(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Repeat the channels once per pixel, channels innermost."""
    (source,) = inputs
    length = coupler.shape(call.outputs[0])[-1]
    assert length is not None
    return Effect(dataclasses.replace(source, tiles=source.tiles * (length // source.size)))


@rule("Reshape")
def reshape(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Keep channels where the last axis keeps its length or is flattened; else freeze them."""
    (source,) = inputs
    before, after = coupler.shape(call.inputs[0]), coupler.shape(call.outputs[0])
    last = after[-1]
    if last == before[-1]:
        return Effect(source, sizes=(ConfigSize("target_shape", source, index=-1),))
    if len(after) == 2 and last is not None:
        flat = dataclasses.replace(source, tiles=source.tiles * (last // source.size))
        return Effect(flat, sizes=(ConfigSize("target_shape", flat, index=-1),))
    coupler.freeze(source, f"{call.layer.name} moves channels to another axis")
    return Effect(Layout.fixed(last or 1))


def unknown_layer(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Freeze what goes in and what comes out: a layer without a rule is never touched."""
    for layout in inputs:
        coupler.freeze(layout, f"{call.layer.name} ({call.kind}) has no channel rule")
    return Effect(Layout.fixed(coupler.shape(call.outputs[0])[-1] or 1))
