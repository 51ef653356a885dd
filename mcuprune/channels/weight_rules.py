"""Channel rules of the layers that make channels: convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.channels.channel_groups import drops_whole_groups, same_places, whole_groups
from mcuprune.channels.effect import (
    ConfigSize,
    Coupler,
    Effect,
    WeightAxis,
    mixing_activation,
    present,
    rule,
)
from mcuprune.channels.layout import FIXED, Layout
from mcuprune.ir.keras_graph import LayerCall


def _produce(call: LayerCall, width: int, coupler: Coupler) -> Layout:
    made = coupler.new_group(width)
    if mixing_activation(call.layer):
        coupler.freeze(made, f"{call.name} applies softmax over its channels")
    return made


@rule("Conv1D", "Conv2D", "Conv3D")
def convolution(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis -2 by input channels, axis -1 by output channels."""
    (source,) = inputs
    if call.layer.groups > 1:
        by_channel = call.layer.groups == source.size
        return _depthwise_by_groups(call, source) if by_channel else _grouped(call, source, coupler)
    made = _produce(call, call.layer.filters, coupler)
    mixed = WeightAxis("kernel", -2, source)
    axes = (mixed, WeightAxis("kernel", -1, made), *present(call.layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))


def _depthwise_by_groups(call: LayerCall, source: Layout) -> Effect:
    """As many groups as channels: a depthwise convolution."""
    made = source.repeated(call.layer.filters // source.size)
    axes = (WeightAxis("kernel", -1, made), *present(call.layer, ["bias"], made))
    sizes = (ConfigSize("filters", made), ConfigSize("groups", source))
    return Effect(made, axes, sizes=sizes)


def _grouped(call: LayerCall, source: Layout, coupler: Coupler) -> Effect:
    """Drop whole groups, or as many channels from every group, whatever allows finer steps."""
    layer = call.layer
    made = _produce(call, layer.filters, coupler)
    per_group = source.size // layer.groups
    is_fixed = bool((source.channels == FIXED).any())
    axes = (WeightAxis("kernel", -1, made), *present(layer, ["bias"], made))
    if not is_fixed and drops_whole_groups(source, layer.groups, coupler):
        coupler.tie(*whole_groups(source, layer.groups))
        coupler.tie(*whole_groups(made, layer.groups))
        firsts = source.part(None, None, per_group)
        coupler.tie(firsts, made.part(None, None, layer.filters // layer.groups))
        sizes = (ConfigSize("filters", made), ConfigSize("groups", firsts))
        return Effect(made, axes, sizes=sizes)
    if is_fixed:
        coupler.freeze(source, f"{call.name} groups it with channels that are fixed")
    coupler.tie(*same_places(source, layer.groups))
    coupler.tie(*same_places(made, layer.groups))
    mixed = WeightAxis("kernel", -2, source.part(0, per_group))
    return Effect(made, (mixed, *axes), (mixed,), (ConfigSize("filters", made),))


@rule("Dense")
def dense(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis 0 by input features, axis 1 by units."""
    (source,) = inputs
    made = _produce(call, call.layer.units, coupler)
    mixed = WeightAxis("kernel", 0, source)
    axes = (mixed, WeightAxis("kernel", 1, made), *present(call.layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("units", made),))


@rule("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed_convolution(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Index the kernel's axis -2 by output channels, axis -1 by input channels."""
    (source,) = inputs
    made = _produce(call, call.layer.filters, coupler)
    mixed = WeightAxis("kernel", -1, source)
    axes = (mixed, WeightAxis("kernel", -2, made), *present(call.layer, ["bias"], made))
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))


@rule("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Make ``depth_multiplier`` output channels of each input channel, mixing none."""
    (source,) = inputs
    made = source.repeated(call.layer.depth_multiplier)
    if mixing_activation(call.layer):
        coupler.freeze(made, f"{call.name} applies softmax over its channels")
    axes = (WeightAxis("kernel", -2, source), *present(call.layer, ["bias"], made))
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
        *present(call.layer, ["bias"], made),
    )
    return Effect(made, axes, (mixed,), (ConfigSize("filters", made),))
