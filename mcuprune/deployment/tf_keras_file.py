"""The int8 file of a tf_keras model that was trained with the numbers of int8."""

from __future__ import annotations

from typing import Any

from mcuprune.deployment.full_int8 import not_int8
from mcuprune.deployment.strip import strip
from mcuprune.errors import ConversionError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_order import input_names


def convert_tf_keras(model: Any, *, debug: bool = False) -> bytes:
    """Convert a model of :func:`mcuprune.quantization.tfmot.quantize_aware_tfmot` to full int8.

    Args:
        model: The trained model; its own ranges are used.
        debug: Leave the converter's messages on the terminal.

    Returns:
        Contents of the ``.tflite`` file, stripped (:mod:`mcuprune.deployment.strip`), int8 in and
        out. :func:`mcuprune.optimize` plans its memory, :func:`mcuprune.check` holds it against a
        budget.

    Raises:
        ConversionError: The converter refused the model or left operators that are not int8.
    """
    import tensorflow as tf

    def infer(*inputs: Any) -> Any:
        return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

    names = input_names(len(model.inputs))
    signature = [
        tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in zip(names, model.inputs, strict=True)
    ]
    traced = tf.function(infer, input_signature=signature).get_concrete_function()
    converted = convert_traced(traced, None, debug=debug)
    stray = not_int8(parse_tflite(converted, model.name))
    if stray:
        raise ConversionError(
            f"the converted model {model.name!r} is not full int8: {', '.join(stray)}. Train it "
            "with mcuprune.quantize_aware, or quantize it after training"
        )
    return strip(converted)
