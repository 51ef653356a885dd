"""Channel rules of normalization layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcuprune.channels.channel_groups import drops_whole_groups, same_places, whole_groups
from mcuprune.channels.effect import ConfigSize, Coupler, Effect, WeightAxis, present, rule
from mcuprune.channels.layout import FIXED, Layout
from mcuprune.ir.keras_graph import LayerCall


def _is_last(axis: Any, rank: int) -> bool:
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return [a % rank for a in axes] == [rank - 1]


def _frozen(call: LayerCall, source: Layout, coupler: Coupler) -> Effect:
    coupler.freeze(source, f"{call.name} normalises axis {call.layer.axis}, not the last alone")
    return Effect(source)


@rule("BatchNormalization")
def batch_normalization(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Keep one scale, offset, mean and variance per channel."""
    source = inputs[0]
    if not _is_last(call.layer.axis, len(coupler.shape(call.inputs[0]))):
        return _frozen(call, source, coupler)
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    return Effect(source, present(call.layer, names, source))


@rule("LayerNormalization", "RMSNormalization")
def layer_normalization(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Take mean and variance over the channels, then scale and shift each."""
    (source,) = inputs
    if not _is_last(call.layer.axis, len(coupler.shape(call.inputs[0]))):
        return _frozen(call, source, coupler)
    if getattr(call.layer, "rms_scaling", False):
        coupler.freeze(source, f"{call.name} uses rms_scaling, which Keras has deprecated")
    axes = present(call.layer, ["gamma", "beta"], source)
    axes += present(call.layer, ["scale"], source) if call.kind == "RMSNormalization" else ()
    return Effect(source, axes, statistics=source)


@rule("GroupNormalization")
def group_normalization(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Drop whole groups, or as many channels from every group, whatever allows finer steps."""
    (source,) = inputs
    layer = call.layer
    if not _is_last(layer.axis, len(coupler.shape(call.inputs[0]))):
        return _frozen(call, source, coupler)
    axes = present(layer, ["gamma", "beta"], source)
    if (source.channels == FIXED).any():
        coupler.freeze(source, f"{call.name} takes statistics with channels that are fixed")
        return Effect(source, axes)
    if drops_whole_groups(source, layer.groups, coupler):
        coupler.tie(*whole_groups(source, layer.groups))
        firsts = source.part(None, None, source.size // layer.groups)
        return Effect(source, axes, sizes=(ConfigSize("groups", firsts),))
    coupler.tie(*same_places(source, layer.groups))
    return Effect(source, axes, statistics=source)


@rule("PReLU")
def prelu(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Keep one slope per channel, unless the channels share one."""
    (source,) = inputs
    rank = len(coupler.shape(call.inputs[0]))
    shared = call.layer.shared_axes or ()
    if rank - 1 in [axis % rank for axis in shared]:
        return Effect(source)
    return Effect(source, (WeightAxis("alpha", -1, source),))


@rule("LayerScale")
def layer_scale(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Scale each channel by its own factor (``keras.applications`` ConvNeXt)."""
    (source,) = inputs
    return Effect(
        source,
        (WeightAxis("gamma", -1, source),),
        sizes=(ConfigSize("projection_dim", source),),
    )


@rule("Normalization", "Rescaling")
def constant_scaling(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Scale and shift by constants; with constants per channel, freeze the channels."""
    import numpy as np

    (source,) = inputs
    constants = [
        getattr(call.layer, name, None) for name in ("scale", "offset", "mean", "variance")
    ]
    if any(np.size(constant) > 1 for constant in constants if constant is not None):
        coupler.freeze(source, f"{call.name} has constants per channel")
    return Effect(source)
