"""Channel rules of layers that join or divide tensors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from mcuprune.channels.effect import Coupler, Effect, SliceBounds, SplitPoints, rule
from mcuprune.channels.layout import Layout
from mcuprune.ir.keras_graph import LayerCall, TensorKey


@rule(
    "Add", "Average", "Divide", "DivideNoNan", "Maximum", "Minimum", "Multiply", "Power",
    "Subtract", "TrueDivide",
)  # fmt: skip
def elementwise(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Let the channels of all inputs live or die together."""
    joint = coupler.couple(inputs)
    constants = [x for x in call.operands if not isinstance(x, TensorKey)]
    if any(np.size(constant) > 1 for constant in constants):
        coupler.freeze(joint, f"{call.name} has a constant with more than one number")
    return Effect(joint)


@rule("CustomScaleLayer")
def scaled_sum(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Add two tensors, one scaled (``keras.applications`` InceptionResNetV2)."""
    return Effect(coupler.couple(inputs))


@rule("Concatenate")
def concatenate(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Put the inputs' channels side by side; on another axis, couple them."""
    rank = len(coupler.shape(call.inputs[0]))
    if getattr(call.layer, "axis", -1) not in (-1, rank - 1):
        return Effect(coupler.couple(inputs))
    return Effect(Layout.joined(inputs))


@rule("Split")
def split(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Divide the channels; into equal parts only if the parts go on being equal."""
    (source,) = inputs
    layer, rank = call.layer, len(coupler.shape(call.inputs[0]))
    if layer.axis not in (-1, rank - 1):
        return Effect((source,) * len(call.outputs))
    if isinstance(layer.indices_or_sections, int):
        size = source.size // layer.indices_or_sections
        coupler.tie(source, source.part(0, size).tiled(layer.indices_or_sections))
        return Effect(tuple(source.part(i, i + size) for i in range(0, source.size, size)))
    points = tuple(layer.indices_or_sections)
    edges = [0, *points, source.size]
    parts = tuple(source.part(a, b) for a, b in itertools.pairwise(edges))
    return Effect(parts, split=SplitPoints("indices_or_sections", source, points))


@rule("GetItem")
def get_item(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Take a slice of the channels, or of other axes."""
    (source,) = inputs
    key = call.arguments[1] if len(call.arguments) > 1 else call.keywords["key"]
    rank = len(coupler.shape(call.inputs[0]))
    entries = list(key) if isinstance(key, list | tuple) else [key]
    place = _place_of_channels(entries, rank)
    if place is None:
        return Effect(source)
    chosen = entries[place]
    if not isinstance(chosen, slice) or chosen.step not in (None, 1):
        coupler.freeze(source, f"{call.name} picks single channels")
        return Effect(Layout.fixed(coupler.shape(call.outputs[0])[-1] or 1))
    start, stop, _ = chosen.indices(source.size)
    if (start, stop) == (0, source.size):
        return Effect(source)
    where = place if isinstance(key, list | tuple) else None
    return Effect(source.part(start, stop), bounds=SliceBounds(where, source, start, stop))


def _place_of_channels(entries: Sequence[object], rank: int) -> int | None:
    """Return which entry of a key indexes the last axis; None if none does."""
    takes_axis = [entry is not None and entry is not Ellipsis for entry in entries]
    if not takes_axis or not takes_axis[-1]:
        return None
    reaches_last = any(entry is Ellipsis for entry in entries) or sum(takes_axis) == rank
    return len(entries) - 1 if reaches_last else None
