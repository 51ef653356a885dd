"""Activation functions as operators; which of them fuse is the folding's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcuprune.ir.draft import Value, number
from mcuprune.ir.keras_arithmetic import combine, scaled_like
from mcuprune.ir.keras_step import Step, rule

# keras.activations.leaky_relu's own default.
_DEFAULT_LEAK = 0.2
# keras.activations.selu's constants.
_SELU_SCALE, _SELU_ALPHA = 1.05070098, 1.67326324

Writer = Callable[[Step, Value], Value]


def activate(step: Step, value: Value, function: Any) -> Value:
    """Emit the operators of a Keras activation function.

    Args:
        step: The layer that applies it.
        value: What it is applied to.
        function: ``keras.activations.*``, or None.

    Returns:
        The activated value.

    Raises:
        UnsupportedModelError: The function is the user's own, or one that has no int8 operators.
    """
    name = "linear" if function is None else getattr(function, "__name__", type(function).__name__)
    is_keras = function is None or function.__module__.partition(".")[0] == "keras"
    if name not in _WRITERS or not is_keras:
        known = ", ".join(sorted(_WRITERS))
        raise step.unsupported(f"the activation {name!r} has no int8 operator; use one of {known}")
    return _WRITERS[name](step, value)


@rule("Activation")
def activation(step: Step) -> Value:
    """Write the operators of the activation function."""
    return activate(step, step.input, step.layer.activation)


# Operations of keras.ops without options, by the name of the function.
_OPERATIONS = {
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "HardTanh": "hard_tanh",
    "LogSigmoid": "log_sigmoid",
    "Relu": "relu",
    "Relu6": "relu6",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
    "TanhShrink": "tanh_shrink",
}


@rule(*_OPERATIONS)
def activation_function(step: Step) -> Value:
    """Write an activation called as ``keras.ops.relu(x)`` and the like."""
    return _WRITERS[_OPERATIONS[step.call.kind]](step, step.input)


@rule("Gelu")
def gelu(step: Step) -> Value:
    """GELU, by default the approximation by tanh."""
    return _gelu(step, step.input, bool(step.layer.approximate))


@rule("ELU", "Elu")
def elu(step: Step) -> Value:
    """ELU."""
    if step.layer.alpha != 1:
        raise step.unsupported("only alpha=1 is one operator")
    return _unary("ELU")(step, step.input)


@rule("LeakyRelu")
def leaky_relu(step: Step) -> Value:
    """LEAKY_RELU."""
    slope = float(step.layer.negative_slope)
    return step.emit("LEAKY_RELU", [step.input], step.input.shape, alpha=slope)


@rule("ReLU", "LeakyReLU")
def relu(step: Step) -> Value:
    """RELU, RELU6 or LEAKY_RELU; more operators for another limit or a threshold."""
    slope = float(step.layer.negative_slope)
    limit = getattr(step.layer, "max_value", None)
    threshold = float(getattr(step.layer, "threshold", 0))
    if slope and not threshold and limit is None:
        return step.emit("LEAKY_RELU", [step.input], step.shape, alpha=slope)
    if limit == 6 and not slope and not threshold:
        return step.emit("RELU6", [step.input], step.shape)
    # TensorFlow's names order the two branches: "Greater", "Neg", "Relu", "sub".
    if threshold:
        value = _limited(step, _above(step, step.input, threshold), limit)
        return _less_leak(step, value, slope, threshold)
    leak = _leak(step, slope, threshold) if slope else None
    value = _limited(step, step.emit("RELU", [step.input], step.shape), limit)
    return value if leak is None else step.arithmetic("SUB", value, leak)


def _less_leak(step: Step, value: Value, slope: float, threshold: float) -> Value:
    return step.arithmetic("SUB", value, _leak(step, slope, threshold)) if slope else value


def _leak(step: Step, slope: float, threshold: float) -> Value:
    """Emit what a negative input takes off the result."""
    if threshold:
        below = step.arithmetic("SUB", number(threshold), step.input)
    else:
        below = step.emit("NEG", [step.input], step.input.shape)
    clipped = step.emit("RELU", [below], below.shape)
    return step.arithmetic("MUL", clipped, number(slope))


def _above(step: Step, value: Value, threshold: float) -> Value:
    """Emit a choice between the value, where it is above a threshold, and zero."""
    is_above = step.compare("GREATER", value, number(threshold))
    zero = scaled_like(value, number(0))
    return step.emit("SELECT_V2", [is_above, value, zero], value.shape)


def _limited(step: Step, value: Value, limit: float | None) -> Value:
    if limit is None:
        return value
    below = combine(step, "MINIMUM", value, number(limit))
    return step.emit("RELU", [below], value.shape)


@rule("Softmax")
def softmax(step: Step) -> Value:
    """SOFTMAX over the last axis."""
    if step.layer.axis not in (-1, len(step.shape) - 1):
        raise step.unsupported(f"it runs over axis {step.layer.axis}: use the last axis")
    return _unary("SOFTMAX", beta=1.0)(step, step.input)


@rule("LogSoftmax")
def log_softmax(step: Step) -> Value:
    """LOG_SOFTMAX over the last axis."""
    if step.layer.axis not in (-1, len(step.shape) - 1):
        raise step.unsupported(f"it runs over axis {step.layer.axis}: use the last axis")
    return _unary("LOG_SOFTMAX")(step, step.input)


@rule("PReLU")
def prelu(step: Step) -> Value:
    """PRELU with a slope per channel, or per element."""
    shared = set(step.layer.shared_axes or ())
    slopes = tuple(1 if axis in shared else dim for axis, dim in enumerate(step.shape) if axis)
    return step.emit("PRELU", [step.input, step.per_tensor("alpha", slopes)], step.shape)


def _linear(step: Step, value: Value) -> Value:  # noqa: ARG001 (same signature for all)
    return value


def _unary(kind: str, **attributes: Any) -> Writer:
    def write(step: Step, value: Value) -> Value:
        return step.emit(kind, [value], value.shape, **attributes)

    return write


def _chain(*writers: Writer) -> Writer:
    def write(step: Step, value: Value) -> Value:
        for writer in writers:
            value = writer(step, value)
        return value

    return write


def _with_number(kind: str, operand: float) -> Writer:
    def write(step: Step, value: Value) -> Value:
        return combine(step, kind, value, number(operand))

    return write


def _times_itself(gate: Writer) -> Writer:
    """Return the writer of a value that is multiplied by what a function makes of it."""

    def write(step: Step, value: Value) -> Value:
        return step.arithmetic("MUL", value, gate(step, value))

    return write


def _gelu(step: Step, value: Value, is_approximate: bool = False) -> Value:
    return step.emit("GELU", [value], value.shape, approximate=is_approximate)


def _hard_sigmoid(step: Step, value: Value) -> Value:
    """Relu6(x + 3) / 6, as Keras defines it."""
    shifted = step.arithmetic("ADD", value, number(3))
    clipped = step.emit("RELU6", [shifted], value.shape)
    return step.arithmetic("MUL", clipped, number(1 / 6))


def _celu(step: Step, value: Value) -> Value:
    positive = step.emit("RELU", [value], value.shape)
    negative = _chain(_with_number("MINIMUM", 0), _unary("EXP"), _with_number("SUB", 1))
    return step.arithmetic("ADD", positive, negative(step, value))


def _hard_shrink(step: Step, value: Value) -> Value:
    size = step.emit("ABS", [value], value.shape)
    is_far = step.compare("GREATER", size, number(0.5))
    zero = scaled_like(value, number(0))
    return step.emit("SELECT_V2", [is_far, value, zero], value.shape)


def _selu(step: Step, value: Value) -> Value:
    is_positive = step.compare("GREATER", value, number(0))
    straight = step.arithmetic("MUL", value, number(_SELU_SCALE))
    curved = _chain(
        _unary("EXP"), _with_number("SUB", 1), _with_number("MUL", _SELU_SCALE * _SELU_ALPHA)
    )
    return step.emit("SELECT", [is_positive, straight, curved(step, value)], value.shape)


def _softsign(step: Step, value: Value) -> Value:
    size = step.emit("ABS", [value], value.shape)
    return step.arithmetic("DIV", value, step.arithmetic("ADD", size, number(1)))


def _squareplus(step: Step, value: Value) -> Value:
    root = _chain(_unary("SQUARE"), _with_number("ADD", 4), _unary("SQRT"))
    total = step.arithmetic("ADD", value, root(step, value))
    return step.arithmetic("MUL", total, number(0.5))


def _tanh_shrink(step: Step, value: Value) -> Value:
    return step.arithmetic("SUB", value, step.emit("TANH", [value], value.shape))


_SOFTPLUS = _chain(_unary("EXP"), _with_number("ADD", 1), _unary("LOG"))

_WRITERS: dict[str, Writer] = {
    "celu": _celu,
    "elu": _unary("ELU"),
    "exponential": _unary("EXP"),
    "gelu": _gelu,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _unary("HARD_SWISH"),
    "hard_tanh": _unary("RELU_N1_TO_1"),
    "leaky_relu": _unary("LEAKY_RELU", alpha=_DEFAULT_LEAK),
    "linear": _linear,
    "log_sigmoid": _chain(_unary("NEG"), _SOFTPLUS, _unary("NEG")),
    "log_softmax": _unary("LOG_SOFTMAX"),
    "mish": _times_itself(_chain(_SOFTPLUS, _unary("TANH"))),
    "relu": _unary("RELU"),
    "relu6": _unary("RELU6"),
    "selu": _selu,
    "sigmoid": _unary("LOGISTIC"),
    "silu": _times_itself(_unary("LOGISTIC")),
    "softmax": _unary("SOFTMAX", beta=1.0),
    "softplus": _SOFTPLUS,
    "softsign": _softsign,
    "squareplus": _squareplus,
    "tanh": _unary("TANH"),
    "tanh_shrink": _tanh_shrink,
}
