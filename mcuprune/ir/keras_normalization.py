"""Rules of the layers that normalise or scale: by stored numbers, or by the input's own moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.ir.draft import Constant, Shape, Value, number, numbers
from mcuprune.ir.keras_arithmetic import reduce, reduced_shape
from mcuprune.ir.keras_step import Step, rule

# keras.backend.epsilon(): what Normalization divides by at least.
_LEAST_DEVIATION = 1e-7
# SQUARED_DIFFERENCE broadcasts up to four axes; beyond, SUB and SQUARE stay.
_SQUARED_DIFFERENCE_RANK = 4


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
    """Moments of each position, then scale and offset; RMS scaling alone if so set."""
    layer, value = step.layer, step.input
    axes = _axes(layer.axis)
    normalised = {axis % len(value.shape) for axis in axes}
    constants = tuple(dim if i in normalised else 1 for i, dim in enumerate(value.shape))
    if getattr(layer, "rms_scaling", False):
        return _root_mean_square(step, axes, constants)
    gamma = step.per_tensor("gamma", constants) if layer.scale else None
    beta = step.per_tensor("beta", constants) if layer.center else None
    output = _by_moments(step, value, axes, gamma, beta)
    # Keras reshapes these two at the start: "Reshape" also comes first by name.
    step.operators.sort(key=lambda op: not {gamma, beta} & set(op.inputs) - {None})
    return output


def _axes(axis: Any) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


@rule("GroupNormalization")
def group_normalization(step: Step) -> Value:
    """Moments of each group of channels, which a RESHAPE sets apart."""
    layer, rank = step.layer, len(step.shape)
    if layer.axis not in (-1, rank - 1):
        raise step.unsupported(f"it normalises axis {layer.axis}: use the last axis")
    channels = step.layer.gamma.shape[0] if layer.scale else step.call.node.outputs[0].shape[-1]
    parts = (layer.groups, channels // layer.groups)
    grouped = step.reshape(step.input, (*step.shape[:-1], *parts))
    constants = (*(1 for _ in step.shape[:-1]), *parts)
    gamma = step.per_tensor("gamma", constants) if layer.scale else None
    beta = step.per_tensor("beta", constants) if layer.center else None
    axes = (*range(1, rank - 1), rank)
    return step.reshape(_by_moments(step, grouped, axes, gamma, beta), step.shape)


def _by_moments(
    step: Step, value: Value, axes: Sequence[int], gamma: Constant | None, beta: Constant | None
) -> Value:
    """Add ``x * inv + (beta - mean * inv)``, as Keras computes it."""
    kept = reduced_shape(value.shape, axes)
    mean = reduce(step, "MEAN", value, axes, kept, is_scalar=False)
    negative = step.emit("NEG", [mean], kept)
    if len(value.shape) <= _SQUARED_DIFFERENCE_RANK:
        squares = step.arithmetic("SQUARED_DIFFERENCE", value, mean)
    else:
        squares = step.emit("SQUARE", [step.arithmetic("SUB", value, mean)], value.shape)
    variance = reduce(step, "MEAN", squares, axes, kept, is_scalar=False)
    shifted = step.arithmetic("ADD", variance, number(step.layer.epsilon))
    inverse = step.emit("RSQRT", [shifted], kept)
    if gamma is not None:
        inverse = step.arithmetic("MUL", inverse, gamma)
    offset = step.arithmetic("MUL", negative, inverse)
    if beta is not None:
        offset = step.arithmetic("ADD", offset, beta)
    return step.arithmetic("ADD", step.arithmetic("MUL", value, inverse), offset)


@rule("RMSNormalization")
def rms_normalization(step: Step) -> Value:
    """Divide by the root of the mean square, then scale."""
    axes = _axes(step.layer.axis)
    return _root_mean_square(step, axes, step.shape[-1:])


def _root_mean_square(step: Step, axes: Sequence[int], constants: Shape) -> Value:
    value = step.input
    kept = reduced_shape(value.shape, axes)
    squares = step.emit("SQUARE", [value], value.shape)
    mean = reduce(step, "MEAN", squares, axes, kept, is_scalar=False)
    shifted = step.arithmetic("ADD", mean, number(step.layer.epsilon))
    scaled = step.arithmetic("MUL", value, step.emit("RSQRT", [shifted], kept))
    return step.arithmetic("MUL", scaled, step.per_tensor("scale", constants))


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
