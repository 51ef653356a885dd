"""Channel rules of layers that move numbers to other shapes, and of those that mix channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mcuprune.channels.effect import ConfigSize, Coupler, Effect, rule
from mcuprune.channels.layout import Layout
from mcuprune.ir.keras_graph import LayerCall


@rule("Flatten", "Squeeze", "ExpandDims")
def flatten(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Repeat the channels once per pixel, channels innermost."""
    return Effect(_reshaped(call, inputs[0], coupler))


@rule("Reshape")
def reshape(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Follow the channels to the new last axis, and keep its length in the target shape."""
    key = "target_shape" if hasattr(call.layer, "target_shape") else "newshape"
    output = _reshaped(call, inputs[0], coupler)
    if getattr(call.layer, key)[-1] == -1:
        return Effect(output)
    return Effect(output, sizes=(ConfigSize(key, output, index=-1),))


def _reshaped(call: LayerCall, source: Layout, coupler: Coupler) -> Layout:
    """Return the layout of the last axis after a reshape.

    Numbers stay in order, so what stood at position ``i`` of the old last axis, of length ``a``,
    stands at ``(row * a + i) % b`` of the new one, of length ``b``. Modulo the greatest common
    divisor of ``a`` and ``b`` the row has no say: channels that are equal there go together.
    """
    after = coupler.shape(call.outputs[0])[-1] if len(coupler.shape(call.outputs[0])) > 1 else None
    if after is None:
        coupler.freeze(source, f"{call.name} makes a last axis of unknown length")
        return Layout.fixed(1)
    period = math.gcd(source.size, after)
    base = source.part(0, period)
    coupler.tie(source, base.tiled(source.size // period))
    return base.tiled(after // period)


@rule("Permute", "Transpose")
def permute(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass channels on where the last axis stays the last."""
    (source,) = inputs
    last = len(coupler.shape(call.inputs[0])) - 1
    order = call.layer.dims if call.kind == "Permute" else call.layer.axes
    if order is not None and order[-1] in (last, -1):
        return Effect(source)
    coupler.freeze(source, f"{call.name} moves channels to another axis")
    return Effect(_fixed(call, coupler))


@rule("Max", "Mean", "Min", "Std", "Sum", "Var", "Amax", "Amin", "Prod")
def reduction(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Reduce other axes than the channels', or freeze."""
    (source,) = inputs
    rank = len(coupler.shape(call.inputs[0]))
    if not _has_last(call.layer.axis, rank):
        return Effect(source)
    coupler.freeze(source, f"{call.name} reduces the channels")
    return Effect(_fixed(call, coupler))


@rule("Softmax", "LogSoftmax")
def softmax(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Freeze the channels if it runs over them."""
    rank = len(coupler.shape(call.inputs[0]))
    if _has_last(call.layer.axis, rank):
        coupler.freeze(inputs[0], f"{call.name} applies softmax over its channels")
    return Effect(inputs[0])


def _has_last(axis: Any, rank: int) -> bool:
    """Return whether an axis, or one of several, is the last; None stands for all."""
    if axis is None:
        return True
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return rank - 1 in [a % rank for a in axes]


@rule("Pad")
def pad(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Put constant channels before and after, if it pads the last axis."""
    (source,) = inputs
    before, after = _last_pair(call.layer.pad_width)
    if (before or after) and call.layer.mode != "constant":
        coupler.freeze(source, f"{call.name} repeats channels at the edge")
        return Effect(_fixed(call, coupler))
    if before or after:
        source = Layout.joined([Layout.fixed(before), source, Layout.fixed(after)])
    return Effect(source)


def _last_pair(width: Any) -> tuple[int, int]:
    if isinstance(width, int):
        return width, width
    last = width[-1] if isinstance(width[-1], list | tuple) else width
    return (int(last[0]), int(last[-1]))


def _fixed(call: LayerCall, coupler: Coupler) -> Layout:
    return Layout.fixed(coupler.shape(call.outputs[0])[-1] or 1)
