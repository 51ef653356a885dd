"""One call of one Keras layer, converted alone to full int8.

The layer itself is traced, on inputs of the call's shapes and types and with weights that differ
from one another: a fresh layer's zeros and ones would be folded away. Recurrent layers are traced
unrolled, the only form that the converter brings to int8, and mixed precision as float32.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import weakref
from collections.abc import Hashable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mcuprune.errors import ConversionError
from mcuprune.ir.device_forms import in_device_form
from mcuprune.ir.from_tflite import parse_tflite, stored_contents
from mcuprune.ir.graph import Graph, Tensor
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_graph import LayerCall, TensorKey
from mcuprune.ir.keras_order import input_names
from mcuprune.ir.unrolled import changed, unrolled

Array: TypeAlias = npt.NDArray[Any]

# Operators do not depend on ranges, so few samples do.
_SAMPLES = 2
_LONG_BYTES = 1024
_OTHER_PRECISIONS = {"float16", "bfloat16", "float64"}
# What each kind of subgraph or state costs is not in the first subgraph.
_UNCOUNTED = frozenset({"WHILE", "IF", "CALL_ONCE", "VAR_HANDLE"})


@dataclasses.dataclass(frozen=True)
class LoneInput:
    """What a layer alone is called on.

    Attributes:
        shape: Dimensions, batch 1.
        dtype: Name of the type in TensorFlow; ``"float32"`` for what will be int8.
    """

    shape: tuple[int, ...]
    dtype: str


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A converted layer.

    Attributes:
        graph: Its operators. Inputs are in the order of the call's distinct tensors, outputs in
            that of the call's outputs.
        contents: Bytes stored per tensor, a digest of long weights; empty for what the operators
            make.
    """

    graph: Graph
    contents: tuple[bytes, ...]


def convert_call(
    call: LayerCall, inputs: tuple[LoneInput, ...], inputs_first: bool = True
) -> Conversion:
    """Convert the layer of one call.

    Repeated calls of a layer in one form are converted once.

    Args:
        call: The call.
        inputs: Form of each distinct tensor that the call reads, in order.
        inputs_first: Whether the converter comes to the inputs before the constants, which decides
            the order of operators (:mod:`mcuprune.ir.keras_order`).

    Raises:
        ConversionError: The layer cannot be traced at batch 1, the converter refuses it, or leaves
            operators that no device has. The message is the reason alone.
    """
    layer, form = weakref.ref(call.layer), _form(call)
    return _converted(_Request(layer, form, inputs, inputs_first, weakref.ref(call)))


@dataclasses.dataclass(frozen=True)
class _Request:
    """What decides the result, and (not compared) the call that leads to it."""

    layer: weakref.ref[Any]
    form: Hashable
    inputs: tuple[LoneInput, ...]
    inputs_first: bool
    call: weakref.ref[LayerCall] = dataclasses.field(compare=False)


def _form(call: LayerCall) -> Hashable:
    """Describe the arguments and the widths of the layer."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(call.inputs))}

    def described(argument: Any) -> str:
        if isinstance(argument, TensorKey):
            return f"tensor {numbers[argument]}"
        shape = getattr(argument, "shape", None)
        return repr(argument) if shape is None else f"constant {tuple(shape)}"

    import keras

    arguments = keras.tree.map_structure(described, (call.arguments, dict(call.keywords)))
    widths = tuple(tuple(weight.shape) for weight in getattr(call.layer, "weights", ()))
    return repr(arguments), widths


@functools.lru_cache(maxsize=256)
def _converted(request: _Request) -> Conversion:
    call = request.call()
    assert call is not None
    with _as_deployed(call.layer):
        traced = _traced(call, request)
        data = convert_traced(traced, lambda: _samples(request.inputs))
    graph = parse_tflite(data, call.name)
    uncounted = sorted({op.kind for op in graph.operators} & _UNCOUNTED)
    if uncounted:
        raise ConversionError(f"it becomes {', '.join(uncounted)}, whose cost is unknown")
    contents = map(_remembered, graph.tensors, stored_contents(data, graph))
    return Conversion(graph, tuple(contents))


def _remembered(tensor: Tensor, stored: bytes) -> bytes:
    """Return a digest of long weights, which are only compared: conversions are kept."""
    is_weight = tensor.quantization_scales > 0 or tensor.dtype != "int32"
    return hashlib.sha256(stored).digest() if is_weight and len(stored) > _LONG_BYTES else stored


def _samples(inputs: tuple[LoneInput, ...]) -> Iterator[list[Any]]:
    """Make inputs that any layer takes: positive numbers below 1, integers 0 and 1."""
    random = np.random.default_rng(0)
    for _ in range(_SAMPLES):
        yield [
            random.random(x.shape, np.float32)
            if x.dtype == "float32"
            else random.integers(0, 2, x.shape).astype(x.dtype)
            for x in inputs
        ]


def _traced(call: LayerCall, request: _Request) -> Any:
    import keras
    import tensorflow as tf

    keys = tuple(dict.fromkeys(call.inputs))
    # A name before or after those of the inputs.
    scope = "z" if request.inputs_first else "a"
    inference = {"training": False} if isinstance(call.layer, keras.Layer) else {}

    def run(*tensors: Any) -> Any:
        given = dict(zip(keys, tensors, strict=True))

        def filled(argument: Any) -> Any:
            return given[argument] if isinstance(argument, TensorKey) else argument

        structure = (call.arguments, inference | dict(call.keywords))
        arguments, keywords = keras.tree.map_structure(filled, structure)
        with tf.name_scope(scope):
            return keras.tree.flatten(call.layer(*arguments, **keywords))

    names = input_names(len(keys))
    signature = [
        tf.TensorSpec(form.shape, form.dtype, name=name)
        for form, name in zip(request.inputs, names, strict=True)
    ]
    try:
        return tf.function(run, input_signature=signature).get_concrete_function()
    except (RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:300]
    raise ConversionError(f"it cannot be called on one sample: {reason}")


def _is_uniform(value: Array) -> bool:
    return bool(value.dtype.kind == "f" and value.size and value.min() == value.max())


def _told_apart(value: Array) -> Any:
    """Return a variable whose numbers lie a little apart from the one number of ``value``."""
    import tensorflow as tf

    noise = np.random.default_rng(0).uniform(0.01, 0.1, value.shape)
    return tf.Variable((value + noise).astype(value.dtype), trainable=False)


@contextlib.contextmanager
def _as_deployed(layer: Any) -> Iterator[None]:
    """Unroll recurrent layers, compute in float32, tell weights apart while the block runs."""
    import keras

    if not isinstance(layer, keras.Layer):
        yield
        return
    with contextlib.ExitStack() as restored:
        restored.enter_context(unrolled(layer))
        restored.enter_context(in_device_form(layer))
        for part in layer._flatten_layers():
            if part.compute_dtype in _OTHER_PRECISIONS:
                restored.enter_context(changed(part, "dtype_policy", "float32"))
        for weight in layer.weights:
            value = keras.ops.convert_to_numpy(weight.value)
            if _is_uniform(value):
                restored.enter_context(changed(weight, "_value", _told_apart(value)))
        yield
