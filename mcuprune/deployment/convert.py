"""From a Keras model to a full-int8 ``.tflite`` file.

int8 input and output, weights quantized per channel, batch 1. The signature has a fixed batch, so
that reshaping needs no SHAPE, STRIDED_SLICE or PACK operators. Converting the same model twice
gives the same bytes.
"""

from __future__ import annotations

from typing import Any

from mcuprune.deployment.float32 import in_float32
from mcuprune.deployment.quantize import calibration_samples
from mcuprune.deployment.strip import strip
from mcuprune.engines.base import Array
from mcuprune.errors import ConversionError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph, Operator
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_models import functional
from mcuprune.ir.keras_order import INPUT_NAME


def convert_int8(model: Any, calibration: Any, *, debug: bool = False) -> bytes:
    """Convert a Keras model to full int8.

    Args:
        model: A built functional or Sequential ``keras.Model`` with one input and one output. One
            of mixed precision is converted as a float32 copy.
        calibration: Inputs as the model was trained on, shape ``(n, ...)``; a hundred or more.
        debug: Leave the converter's messages on the terminal.

    Returns:
        Contents of the ``.tflite`` file, stripped (:mod:`mcuprune.deployment.strip`).

    Raises:
        InputError: The calibration data do not fit the model.
        UnsupportedModelError: The model has several inputs or outputs, or keeps one in a dict; it
            has an open input dimension or a recurrent layer, or is subclassed.
        ConversionError: The converter failed, or left operators that are not int8.
    """
    shape = _input_shape(model)
    samples = calibration_samples(calibration, shape)
    _refuse_recurrent(model)
    converted = _convert(in_float32(model), shape, samples, debug)
    _require_int8(parse_tflite(converted, model.name))
    return strip(converted)


def _input_shape(model: Any) -> tuple[int, ...]:
    net = functional(model)
    if len(net.inputs) != 1 or len(net.outputs) != 1:
        raise UnsupportedModelError(
            f"model {model.name!r} has {len(net.inputs)} inputs and {len(net.outputs)} outputs; "
            "one of each can be deployed: split the model"
        )
    _require_plain_tensors(net)
    shape = tuple(net.inputs[0].shape[1:])
    if any(dim is None for dim in shape):
        raise UnsupportedModelError(
            f"model {model.name!r} takes inputs of the open shape {shape}; a device needs a fixed "
            "one: give keras.Input its full shape"
        )
    return shape


def _require_plain_tensors(net: Any) -> None:
    for what, found in (("input", net.input), ("output", net.output)):
        # A list of one input is called like the input itself.
        if isinstance(found, dict) or (what == "output" and isinstance(found, list | tuple)):
            raise UnsupportedModelError(
                f"model {net.name!r} has its {what} in a {type(found).__name__}; a plain tensor "
                "can be deployed: deploy keras.Model(model.inputs[0], model.outputs[0]), which "
                "shares the layers"
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


def _convert(model: Any, shape: tuple[int, ...], samples: Array, debug: bool) -> bytes:
    import tensorflow as tf

    # The name stands in the file; Keras's own changes from run to run.
    signature = tf.TensorSpec((1, *shape), tf.float32, name=INPUT_NAME)
    infer = tf.function(lambda x: model(x, training=False), input_signature=[signature])
    try:
        return convert_traced(
            infer.get_concrete_function(),
            lambda: ([sample[None]] for sample in samples),
            debug=debug,
        )
    except ConversionError as error:
        problem = error
    raise ConversionError(
        f"the TFLite converter refuses model {model.name!r}: {problem}. Replace the "
        "layer this comes from; --debug (debug=True) shows all its messages."
    )


def _require_int8(graph: Graph) -> None:
    stray = [_describe(op, graph) for op in graph.operators if not _is_int8(op, graph)]
    ends = [graph.tensors[i] for i in (*graph.inputs, *graph.outputs)]
    stray += [f"{t.name} is {t.dtype}" for t in ends if t.dtype != "int8"]
    if stray:
        raise ConversionError(
            f"the converted model {graph.name!r} is not full int8: {', '.join(stray)}. "
            "Replace the layers these come from; shapes must be fixed and every activation real."
        )


def _is_int8(operator: Operator, graph: Graph) -> bool:
    """Tell whether all results are int8; results of SHAPE and what computes on shapes are not."""
    return all(tensor.dtype == "int8" for tensor in graph.output_tensors(operator))


def _describe(operator: Operator, graph: Graph) -> str:
    types = {tensor.dtype for tensor in graph.output_tensors(operator)}
    return f"operator {operator.index} {operator.kind} ({'/'.join(sorted(types))})"
