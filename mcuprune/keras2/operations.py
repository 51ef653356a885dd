"""TensorFlow functions that a Keras 2 graph calls (``TFOpLambda``), as operations of keras.ops."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mcuprune.errors import UnsupportedModelError

Operation = Callable[..., Any]

# TensorFlow's name and that in keras.ops, for functions of tensors alone.
_OF_TENSORS = {
    "abs": "absolute",
    "add": "add",
    "cos": "cos",
    "div": "divide",
    "divide": "divide",
    "elu": "elu",
    "equal": "equal",
    "erf": "erf",
    "exp": "exp",
    "floor": "floor",
    "floordiv": "floor_divide",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "less": "less",
    "less_equal": "less_equal",
    "log": "log",
    "matmul": "matmul",
    "maximum": "maximum",
    "minimum": "minimum",
    "mul": "multiply",
    "multiply": "multiply",
    "negative": "negative",
    "ones_like": "ones_like",
    "pow": "power",
    "relu": "relu",
    "relu6": "relu6",
    "round": "round",
    "rsqrt": "rsqrt",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "sign": "sign",
    "silu": "silu",
    "sin": "sin",
    "softplus": "softplus",
    "softsign": "softsign",
    "sqrt": "sqrt",
    "square": "square",
    "stop_gradient": "stop_gradient",
    "sub": "subtract",
    "subtract": "subtract",
    "swish": "silu",
    "tanh": "tanh",
    "truediv": "true_divide",
    "zeros_like": "zeros_like",
}
_REDUCTION = {"input_tensor": "x", "axis": "axis", "keepdims": "keepdims"}
# Functions with options: name in keras.ops, and its name for each of TensorFlow's arguments.
_WITH_OPTIONS: dict[str, tuple[str, Mapping[str, str]]] = {
    "broadcast_to": ("broadcast_to", {"input": "x", "shape": "shape"}),
    "cast": ("cast", {"x": "x", "dtype": "dtype"}),
    "clip_by_value": (
        "clip",
        {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"},
    ),
    "concat": ("concatenate", {"values": "xs", "axis": "axis"}),
    "expand_dims": ("expand_dims", {"input": "x", "axis": "axis"}),
    "gather": ("take", {"params": "x", "indices": "indices", "axis": "axis"}),
    "gelu": ("gelu", {"features": "x", "approximate": "approximate"}),
    "image.resize": (
        "image.resize",
        {"images": "images", "size": "size", "method": "interpolation", "antialias": "antialias"},
    ),
    "l2_normalize": ("normalize", {"x": "x", "axis": "axis"}),
    "leaky_relu": ("leaky_relu", {"features": "x", "alpha": "negative_slope"}),
    "log_softmax": ("log_softmax", {"logits": "x", "axis": "axis"}),
    "reduce_max": ("max", _REDUCTION),
    "reduce_mean": ("mean", _REDUCTION),
    "reduce_min": ("min", _REDUCTION),
    "reduce_prod": ("prod", _REDUCTION),
    "reduce_sum": ("sum", _REDUCTION),
    "repeat": ("repeat", {"input": "x", "repeats": "repeats", "axis": "axis"}),
    "softmax": ("softmax", {"logits": "x", "axis": "axis"}),
    "squeeze": ("squeeze", {"input": "x", "axis": "axis"}),
    "stack": ("stack", {"values": "x", "axis": "axis"}),
    "tile": ("tile", {"input": "x", "multiples": "repeats"}),
    "transpose": ("transpose", {"a": "x", "perm": "axes"}),
    "unstack": ("unstack", {"value": "x", "num": "num", "axis": "axis"}),
    "where": ("where", {"condition": "condition", "x": "x1", "y": "x2"}),
}
_PREFIXES = ("compat.v1.", "__operators__.", "math.", "nn.", "linalg.")


def is_operation(layer: Any) -> bool:
    """Return whether a Keras 2 layer stands for a TensorFlow function."""
    return type(layer).__name__ in ("TFOpLambda", "SlicingOpLambda")


def operation_like(layer: Any) -> Operation:
    """Return what computes the same on Keras 3 tensors as a layer made of a TensorFlow function.

    Args:
        layer: A ``TFOpLambda`` or ``SlicingOpLambda``.

    Returns:
        A function that takes the arguments of the layer's call.

    Raises:
        UnsupportedModelError: The TensorFlow function has no counterpart here.
    """
    name = _bare(layer.symbol)
    if name in _SPECIAL:
        return _with_bound_arguments(layer, _SPECIAL[name])
    if name in _WITH_OPTIONS:
        target, names = _WITH_OPTIONS[name]
        return _with_bound_arguments(layer, _renamed(layer, target, names))
    if name in _OF_TENSORS:
        return _of_tensors(layer, _OF_TENSORS[name])
    raise UnsupportedModelError(
        f"layer {layer.name!r} calls tf.{layer.symbol}, which from_tf_keras cannot translate: "
        "put it into a Lambda layer, or use a Keras layer in its place"
    )


def _bare(symbol: str) -> str:
    for prefix in _PREFIXES:
        symbol = symbol.removeprefix(prefix)
    return symbol


def _of_tensors(layer: Any, target: str) -> Operation:
    def run(*args: Any, **kwargs: Any) -> Any:
        given = _bound(layer, args, kwargs)
        defaults = _defaults(layer)
        tensors = [value for name, value in given.items() if name not in defaults]
        _refuse_options(layer, {n: v for n, v in given.items() if n in defaults})
        return _keras_op(target)(*_constants_typed(tensors))

    return run


def _constants_typed(values: list[Any]) -> list[Any]:
    """Make lists of numbers constants of the type of the tensors beside them."""
    types = [value.dtype for value in values if hasattr(value, "dtype")]
    return [
        np.asarray(value, getattr(types[0], "name", types[0]))
        if isinstance(value, list | tuple)
        else value
        for value in values
    ]


def _renamed(layer: Any, target: str, names: Mapping[str, str]) -> Operation:
    def run(**given: Any) -> Any:
        _refuse_options(layer, {n: v for n, v in given.items() if n not in names})
        # TensorFlow's None means the default, which keras.ops spells in other ways.
        known = {names[n]: v for n, v in given.items() if n in names and v is not None}
        return _keras_op(target)(**known)

    return run


def _with_bound_arguments(layer: Any, run: Operation) -> Operation:
    return lambda *args, **kwargs: run(**_bound(layer, args, kwargs))


def _bound(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments of a call by TensorFlow's names, defaults included, without ``name``."""
    bound = inspect.signature(layer.function).bind(*args, **kwargs)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "name"}


def _defaults(layer: Any) -> dict[str, Any]:
    parameters = inspect.signature(layer.function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _refuse_options(layer: Any, options: Mapping[str, Any]) -> None:
    defaults = _defaults(layer)
    for name, value in options.items():
        if value is not defaults.get(name) and value != defaults.get(name):
            raise UnsupportedModelError(
                f"layer {layer.name!r} calls tf.{layer.symbol} with {name}={value!r}, which "
                "from_tf_keras cannot translate: put it into a Lambda layer, or use a Keras layer"
            )


def _keras_op(name: str) -> Operation:
    import keras

    operation: Any = keras.ops
    for part in name.split("."):
        operation = getattr(operation, part)
    return operation  # type: ignore[no-any-return]


def _getitem(tensor: Any, slice_spec: Any, var: Any = None) -> Any:
    del var
    spec = slice_spec if isinstance(slice_spec, tuple | list) else (slice_spec,)
    spec = tuple(
        slice(p["start"], p["stop"], p["step"]) if isinstance(p, dict) else p for p in spec
    )
    if isinstance(tensor, tuple):  # what _shape returned
        return tensor[spec[0]]
    return tensor[spec]


def _shape(input: Any, out_type: Any = None) -> tuple[int | None, ...]:
    """Stand for ``tf.shape``: the static shape, None where it is open."""
    del out_type
    return tuple(input.shape)


def _reshape(tensor: Any, shape: Any) -> Any:
    """Reshape to a shape that may have both an open batch (None) and a -1."""
    import keras

    wanted = [None if size is None else int(size) for size in shape]
    if None in wanted and -1 in wanted:
        known = math.prod(size for size in wanted if size not in (None, -1))
        rest = math.prod(tensor.shape[1:]) // known
        wanted = [rest if size == -1 else size for size in wanted]
    return keras.ops.reshape(tensor, tuple(-1 if size is None else size for size in wanted))


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> Any:
    import keras

    del num
    if isinstance(num_or_size_splits, int):
        return keras.ops.split(value, num_or_size_splits, axis=axis)
    ends = list(itertools.accumulate(int(size) for size in num_or_size_splits))
    return keras.ops.split(value, ends[:-1], axis=axis)


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    import keras

    widths = [[int(before), int(after)] for before, after in paddings]
    if mode.upper() == "CONSTANT":
        return keras.ops.pad(tensor, widths, mode="constant", constant_values=constant_values)
    return keras.ops.pad(tensor, widths, mode=mode.lower())


def _identity(input: Any) -> Any:
    return input


_SPECIAL: dict[str, Operation] = {
    "getitem": _getitem,
    "identity": _identity,
    "pad": _pad,
    "reshape": _reshape,
    "shape": _shape,
    "split": _split,
}
