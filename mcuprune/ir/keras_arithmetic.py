"""Rules of arithmetic: layers that join tensors, and operations such as ``2 - x``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcuprune.ir.draft import Constant, Shape, Value, integers, number, numbers
from mcuprune.ir.keras_step import Step, rule

_BINARY = {
    "Add": "ADD",
    "Average": "ADD",
    "Multiply": "MUL",
    "Subtract": "SUB",
    "Divide": "DIV",
    "TrueDivide": "DIV",
    "Maximum": "MAXIMUM",
    "Minimum": "MINIMUM",
}
_COMMUTATIVE = frozenset({"ADD", "MUL", "MAXIMUM", "MINIMUM"})


@rule(*_BINARY)
def elementwise(step: Step) -> Value:
    """Chain operators on two operands; an average ends with MUL by a scalar."""
    value, *others = step.operands
    for other in others:
        value = combine(step, _BINARY[step.call.kind], value, other)
    if step.call.kind == "Average":
        value = combine(step, "MUL", value, number(1 / len(step.inputs)))
    if isinstance(value, Constant):
        raise step.unsupported("all its operands are constants: add them up yourself")
    return value


def combine(step: Step, kind: str, left: Value | Constant, right: Value | Constant) -> Value:
    """Add an operator on two operands, at most one of them a constant.

    Dividing by a constant multiplies by its reciprocal. MAXIMUM and MINIMUM want one scale for
    both operands, so a constant belongs to the value beside it.
    """
    if kind in _COMMUTATIVE and isinstance(left, Constant):
        left, right = right, left
    if kind == "DIV" and isinstance(right, Constant):
        kind, right = "MUL", reciprocal(right)
    if kind == "ADD" and isinstance(left, Value):
        right = _as_bias(step, left, right)
    if kind in ("MAXIMUM", "MINIMUM") and isinstance(right, Constant):
        right = scaled_like(left, right)
    return step.arithmetic(kind, left, right)


def _as_bias(step: Step, left: Value, right: Value | Constant) -> Value | Constant:
    """Squeeze the second summand to one axis where it could be a bias, as keras.ops.add does.

    That is where all its axes but one have length 1 and that one is as long as the channels.
    """
    long_axes = tuple(dim for dim in right.shape if dim != 1)
    if len(long_axes) != 1 or len(left.shape) < 2 or len(right.shape) == 1:
        return right
    is_open = not all(isinstance(dim, int) for dim in (*long_axes, left.shape[-1]))
    if not is_open and long_axes[0] != left.shape[-1]:
        return right
    if isinstance(right, Constant):
        return numbers(right.values, long_axes)
    return step.reshape(right, long_axes)


def reciprocal(constant: Constant) -> Constant:
    """Return one over numbers known before conversion."""
    return numbers(1 / np.asarray(constant.values), constant.shape)


def scaled_like(value: Value | Constant, constant: Constant) -> Constant:
    """Return a constant that is stored with a value's scale, so that no other shares it."""
    key = (constant.key, value)
    return dataclasses.replace(constant, key=key, content=None)


@rule("CustomScaleLayer")
def scaled_summand(step: Step) -> Value:
    """MUL of the second input by the layer's scale, and ADD (Inception-ResNet's residuals)."""
    first, second = step.inputs
    return step.arithmetic("ADD", first, step.arithmetic("MUL", second, number(step.layer.scale)))


@rule("Power")
def power(step: Step) -> Value:
    """MUL of the value with itself for a square."""
    value, exponent = step.operands
    if not isinstance(value, Value) or not isinstance(exponent, Constant) or exponent.number != 2:
        raise step.unsupported("only the power of 2 has an int8 operator")
    return step.arithmetic("MUL", value, value)


_UNARY = {
    "Absolute": "ABS",
    "Exp": "EXP",
    "Log": "LOG",
    "Negative": "NEG",
    "Rsqrt": "RSQRT",
    "Sqrt": "SQRT",
    "Square": "SQUARE",
}


@rule(*_UNARY)
def unary(step: Step) -> Value:
    """Write the operator of the same name."""
    return step.emit(_UNARY[step.call.kind], [step.input], step.input.shape)


@rule("Clip")
def clip(step: Step) -> Value:
    """MINIMUM and MAXIMUM with constants."""
    low, high = number(step.layer.x_min), number(step.layer.x_max)
    below = combine(step, "MINIMUM", step.input, high)
    return combine(step, "MAXIMUM", below, low)


_REDUCERS = {"Mean": "MEAN", "Sum": "SUM", "Max": "REDUCE_MAX", "Min": "REDUCE_MIN"}


@rule(*_REDUCERS)
def reduction(step: Step) -> Value:
    """MEAN, SUM, REDUCE_MAX or REDUCE_MIN over the operation's axes."""
    axis = step.layer.axis
    if axis is None:
        axis = tuple(range(len(step.input.shape)))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    kind = _REDUCERS[step.call.kind]
    return reduce(step, kind, step.input, axes, step.shape, is_scalar=False)


def reduce(
    step: Step,
    kind: str,
    value: Value,
    axes: Sequence[int],
    shape: Shape,
    is_scalar: bool,
) -> Value:
    """Add a reduction.

    Args:
        step: The layer.
        kind: ``"MEAN"`` and the like.
        value: What to reduce.
        axes: Its axes, as the file shall hold them.
        shape: Shape of the result, of the value's rank if the axes are kept.
        is_scalar: Whether a single axis is stored as a scalar.
    """
    constant = integers("axes", axes, () if is_scalar and len(axes) == 1 else None)
    keep_dims = len(shape) == len(value.shape)
    return step.emit(kind, [value, constant], shape, keep_dims=keep_dims, axis=tuple(axes))


def reduced_shape(shape: Shape, axes: Sequence[int]) -> Shape:
    """Return the shape after a reduction that keeps its axes."""
    gone = {axis % len(shape) for axis in axes}
    return tuple(1 if axis in gone else dim for axis, dim in enumerate(shape))
