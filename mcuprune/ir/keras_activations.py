"""Activation functions as operators; which of them fuse is the folding's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcuprune.ir.draft import Value, number
from mcuprune.ir.keras_step import Step

# keras.activations.leaky_relu's own default.
_DEFAULT_LEAK = 0.2


def activate(step: Step, value: Value, function: Any) -> Value:
    """Emit the operators of a Keras activation function.

    Args:
        step: The layer that applies it.
        value: What it is applied to.
        function: ``keras.activations.*``, or None.

    Returns:
        The activated value.

    Raises:
        UnsupportedModelError: The function has no int8 operator.
    """
    name = "linear" if function is None else getattr(function, "__name__", type(function).__name__)
    if name not in _WRITERS:
        known = ", ".join(sorted(_WRITERS))
        raise step.unsupported(f"the activation {name!r} has no int8 operator; use one of {known}")
    return _WRITERS[name](step, value)


def relu_layer(step: Step) -> Value:
    """Emit the operator of a ``ReLU`` or ``LeakyReLU`` layer.

    Raises:
        UnsupportedModelError: The layer clips at a value other than 6 or has a threshold.
    """
    slope = float(step.layer.negative_slope)
    limit = getattr(step.layer, "max_value", None)
    if getattr(step.layer, "threshold", 0) or limit not in (None, 6) or (slope and limit):
        raise step.unsupported(
            "only a plain ReLU, ReLU(max_value=6) or a leaky ReLU becomes one operator; "
            "drop its threshold or other max_value"
        )
    if slope:
        return step.emit("LEAKY_RELU", [step.input], step.input.shape, alpha=slope)
    return _unary("RELU6" if limit else "RELU")(step, step.input)


def _linear(step: Step, value: Value) -> Value:  # noqa: ARG001 (same signature for all)
    return value


def _unary(kind: str, **attributes: Any) -> Callable[[Step, Value], Value]:
    def write(step: Step, value: Value) -> Value:
        return step.emit(kind, [value], value.shape, **attributes)

    return write


def _silu(step: Step, value: Value) -> Value:
    return step.arithmetic("MUL", value, step.emit("LOGISTIC", [value], value.shape))


def _hard_sigmoid(step: Step, value: Value) -> Value:
    """Relu6(x + 3) / 6, as Keras defines it."""
    shifted = step.arithmetic("ADD", value, number(3))
    clipped = step.emit("RELU6", [shifted], value.shape)
    return step.arithmetic("MUL", clipped, number(1 / 6))


_WRITERS: dict[str, Callable[[Step, Value], Value]] = {
    "linear": _linear,
    "relu": _unary("RELU"),
    "relu6": _unary("RELU6"),
    "leaky_relu": _unary("LEAKY_RELU", alpha=_DEFAULT_LEAK),
    "sigmoid": _unary("LOGISTIC"),
    "tanh": _unary("TANH"),
    "softmax": _unary("SOFTMAX", beta=1.0),
    "silu": _silu,
    "hard_silu": _unary("HARD_SWISH"),
    "hard_sigmoid": _hard_sigmoid,
}
