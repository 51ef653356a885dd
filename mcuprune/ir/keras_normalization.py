"""Rules of the layers that normalise or scale: by stored numbers, or by the input's own moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.ir.dim import Dim, ceil_div
from mcuprune.ir.draft import Shape, Value, number, numbers
from mcuprune.ir.keras_arithmetic import reduce, reduced_shape
from mcuprune.ir.keras_step import Step, rule

# keras.backend.epsilon(): what Normalization divides by at least.
_LEAST_DEVIATION = 1e-7


@rule("BatchNormalization")
def batch_normalization(step: Step) -> Value:
    """MUL and ADD of one constant per channel."""
    axis, rank = step.layer.axis, len(step.shape)
    # Keras reshapes the constants unless the axis is given as -1.
    shape: Shape = (step.shape[-1],)
    if axis != -1:
        shape = tuple(dim if i == axis % rank else 1 for i, dim in enumerate(step.shape))
    scaled = step.arithmetic("MUL", step.input, step.per_tensor("scale", shape))
    return step.arithmetic("ADD", scaled, step.per_tensor("offset", shape))


@rule("Rescaling")
def rescaling(step: Step) -> Value:
    """MUL by the scale and ADD of the offset."""
    scaled = step.arithmetic("MUL", step.input, numbers(step.layer.scale))
    return step.arithmetic("ADD", scaled, numbers(step.layer.offset))


@rule("LayerScale")
def layer_scale(step: Step) -> Value:
    """MUL by one constant per channel (ConvNeXt's)."""
    return step.arithmetic("MUL", step.input, step.per_tensor("gamma", step.shape[-1:]))


@rule("Normalization")
def normalization(step: Step) -> Value:
    """SUB of the mean and MUL by the reciprocal deviation; MUL and ADD if inverted."""
    mean, variance = np.asarray(step.layer.mean), np.asarray(step.layer.variance)
    deviation = np.maximum(np.sqrt(variance), _LEAST_DEVIATION)
    if step.layer.invert:
        spread = step.arithmetic("MUL", step.input, numbers(deviation))
        return step.arithmetic("ADD", spread, numbers(mean))
    shifted = step.arithmetic("SUB", step.input, numbers(mean))
    return step.arithmetic("MUL", shifted, numbers(1 / deviation))


@rule("LayerNormalization")
def layer_normalization(step: Step) -> Value:
    """Subtract the mean and divide by the deviation over the channels, then scale and shift.

    This and the two below are written in their form for the device
    (:mod:`mcuprune.ir.device_forms`).
    """
    layer = step.layer
    if layer.rms_scaling:
        raise step.unsupported("it uses rms_scaling: use keras.layers.RMSNormalization")
    _require_last(step)
    return _scaled(step, _standard(step, step.input, (-1,)), layer.scale, layer.center)


@rule("RMSNormalization")
def rms_normalization(step: Step) -> Value:
    """Divide by the root of the mean square over the channels, then scale."""
    _require_last(step)
    divided = _divided(step, step.input, (-1,))
    return step.arithmetic("MUL", divided, step.per_tensor("scale", step.shape[-1:]))


@rule("GroupNormalization")
def group_normalization(step: Step) -> Value:
    """Standardise each group of channels, which a RESHAPE sets apart, then scale and shift."""
    _require_last(step)
    layer = step.layer
    pixels = math.prod(step.shape[1:-1])
    groups = step.size("groups")
    # Either the number of groups is open or how many channels each has.
    if isinstance(groups, Dim):
        per_group = step.call.node.outputs[0].shape[-1] // layer.groups
    else:
        per_group = ceil_div(step.input.shape[-1], groups)
    apart = step.reshape(step.input, (1, pixels, groups, per_group))
    together = step.reshape(_standard(step, apart, (1, 3)), step.shape)
    return _scaled(step, together, layer.scale, layer.center)


def _require_last(step: Step) -> None:
    if _axes(step.layer.axis) != (-1,):
        raise step.unsupported(f"it normalises axis {step.layer.axis}: use axis=-1, the last")


def _axes(axis: Any) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _standard(step: Step, value: Value, axes: Sequence[int]) -> Value:
    kept = reduced_shape(value.shape, axes)
    mean = reduce(step, "MEAN", value, axes, kept, is_scalar=False)
    return _divided(step, step.arithmetic("SUB", value, mean), axes)


def _divided(step: Step, value: Value, axes: Sequence[int]) -> Value:
    kept = reduced_shape(value.shape, axes)
    squares = step.arithmetic("MUL", value, value)
    power = reduce(step, "MEAN", squares, axes, kept, is_scalar=False)
    shifted = step.arithmetic("ADD", power, number(step.layer.epsilon))
    return step.arithmetic("MUL", value, step.emit("RSQRT", [shifted], kept))


def _scaled(step: Step, value: Value, has_factor: bool, has_summand: bool) -> Value:
    channels = step.shape[-1:]
    if has_factor:
        value = step.arithmetic("MUL", value, step.per_tensor("gamma", channels))
    if has_summand:
        value = step.arithmetic("ADD", value, step.per_tensor("beta", channels))
    return value


@rule("UnitNormalization")
def unit_normalization(step: Step) -> Value:
    """Divide by the length of each vector."""
    axes = _axes(step.layer.axis)
    value = step.input
    kept = reduced_shape(value.shape, axes)
    squares = step.emit("SQUARE", [value], value.shape)
    total = reduce(step, "SUM", squares, axes, kept, is_scalar=True)
    inverse = step.emit("RSQRT", [total], kept)
    # keras.ops.normalize bounds the inverse length by that of epsilon.
    least = step.arithmetic("MINIMUM", inverse, step.per_tensor("largest", ()))
    return step.arithmetic("MUL", value, least)
