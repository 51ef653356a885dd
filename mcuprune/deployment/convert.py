"""From a Keras model to a full-int8 ``.tflite`` file.

int8 input and output, weights quantized per channel, batch 1. The signature has a fixed batch, so
that reshaping needs no SHAPE, STRIDED_SLICE or PACK operators. Converting the same model twice
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcuprune.deployment.float32 import in_float32
from mcuprune.deployment.quantize import calibration_arrays
from mcuprune.deployment.strip import strip
from mcuprune.engines.base import Array
from mcuprune.errors import ConversionError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph, Operator
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_models import functional
from mcuprune.ir.keras_order import input_names

_WHOLE = ("bool", "int32", "int64")


def convert_int8(model: Any, calibration: Any, *, debug: bool = False) -> bytes:
    """Convert a Keras model to full int8.

    Args:
        model: A built functional or Sequential ``keras.Model``. One of mixed precision is
            converted as a float32 copy.
        calibration: Inputs as the model was trained on, shape ``(n, ...)``; a hundred or more. For
            several inputs a list or tuple of such arrays.
        debug: Leave the converter's messages on the terminal.

    Returns:
        Contents of the ``.tflite`` file, stripped (:mod:`mcuprune.deployment.strip`). Inputs and
        outputs are in the order of ``model.inputs`` and ``model.outputs``. Real ones are int8;
        integers (of an embedding) stay int32.

    Raises:
        InputError: The calibration data do not fit the model.
        UnsupportedModelError: The model keeps its inputs or outputs in a dict, has an open input
            dimension or a recurrent layer, or is subclassed.
        ConversionError: The converter failed, or left operators that are not int8.
    """
    _require_fixed_shapes(model)
    samples = calibration_arrays(calibration, model)
    _refuse_recurrent(model)
    converted = _convert(in_float32(model), samples, debug)
    _require_int8(parse_tflite(converted, model.name))
    return strip(converted)


def _require_fixed_shapes(model: Any) -> None:
    net = functional(model)
    _refuse_dicts(net)
    for tensor in net.inputs:
        shape = tuple(tensor.shape[1:])
        if any(dim is None for dim in shape):
            raise UnsupportedModelError(
                f"model {model.name!r} takes inputs of the open shape {shape}; a device needs a "
                "fixed one: give keras.Input its full shape"
            )


def _refuse_dicts(net: Any) -> None:
    for what, found in (("input", net.input), ("output", net.output)):
        if isinstance(found, dict):
            raise UnsupportedModelError(
                f"model {net.name!r} has its {what} in a dict; plain tensors and lists can be "
                "deployed: deploy keras.Model(model.inputs, model.outputs), which shares the layers"
            )


def _refuse_recurrent(model: Any) -> None:
    """Refuse what ends the whole process: rolled loops crash the converter at batch 1."""
    import keras

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.RNN) and not layer.unroll:
            raise UnsupportedModelError(
                f"layer {layer.name!r} ({type(layer).__name__}) is a rolled loop, which the "
                "converter cannot bring to int8: set unroll=True, or use convolutions over time"
            )


def _convert(model: Any, samples: Sequence[Array], debug: bool) -> bytes:
    import keras
    import tensorflow as tf

    def infer(*inputs: Any) -> Any:
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        outputs = keras.tree.flatten(model(given, training=False))
        return outputs if len(outputs) > 1 else outputs[0]

    # The names stand in the file; Keras's own change from run to run.
    signature = [
        tf.TensorSpec((1, *array.shape[1:]), array.dtype, name=name)
        for name, array in zip(input_names(len(samples)), samples, strict=True)
    ]
    traced = tf.function(infer, input_signature=signature).get_concrete_function()
    try:
        return convert_traced(
            traced,
            lambda: ([one[None] for one in sample] for sample in zip(*samples, strict=True)),
            debug=debug,
        )
    except ConversionError as error:
        problem = error
    raise ConversionError(
        f"the TFLite converter refuses model {model.name!r}: {problem}. Replace the "
        "layer this comes from; --debug (debug=True) shows all its messages."
    )


def _require_int8(graph: Graph) -> None:
    whole = _whole_numbers(graph)
    stray = [
        _describe(op, graph)
        for op in graph.operators
        if any(graph.tensors[i].dtype != "int8" and i not in whole for i in op.outputs)
    ]
    ends = [graph.tensors[i] for i in (*graph.inputs, *graph.outputs) if i not in whole]
    stray += [f"{t.name} is {t.dtype}" for t in ends if t.dtype != "int8"]
    if stray:
        raise ConversionError(
            f"the converted model {graph.name!r} is not full int8: {', '.join(stray)}. "
            "Replace the layers these come from; shapes must be fixed and every activation real."
        )


def _whole_numbers(graph: Graph) -> set[int]:
    """Return integer inputs and what is computed from them before it becomes real.

    Results of SHAPE, and what computes on shapes, are not among them.
    """
    found = {i for i in graph.inputs if graph.tensors[i].dtype in _WHOLE}
    for operator in graph.operators:
        if found & set(operator.inputs):
            found |= {i for i in operator.outputs if graph.tensors[i].dtype in _WHOLE}
    return found


def _describe(operator: Operator, graph: Graph) -> str:
    types = {tensor.dtype for tensor in graph.output_tensors(operator)}
    return f"operator {operator.index} {operator.kind} ({'/'.join(sorted(types))})"
