"""From a Keras model to a full-int8 ``.tflite`` file.

int8 input and output, weights quantized per channel, batch 1. The signature has a fixed batch, so
that reshaping needs no SHAPE, STRIDED_SLICE or PACK operators. Converting the same model twice
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mcuprune.deployment.full_int8 import not_int8
from mcuprune.deployment.strip import strip
from mcuprune.deployment.usual_form import in_usual_form
from mcuprune.engines.base import Array
from mcuprune.errors import ConversionError, InputError, UnsupportedModelError
from mcuprune.ir.device_forms import in_device_form
from mcuprune.ir.float32 import in_float32
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_models import functional
from mcuprune.ir.keras_order import input_names
from mcuprune.ir.unrolled import unrolled
from mcuprune.quantization.calibration_data import calibration_arrays


def convert_int8(model: Any, calibration: Any, *, debug: bool = False) -> bytes:
    """Convert a Keras model to full int8.

    Args:
        model: A built functional or Sequential ``keras.Model``. One of mixed precision is
            converted as a float32 copy, recurrent layers are unrolled in the file.
        calibration: Inputs as the model was trained on, shape ``(n, ...)``; a hundred or more. For
            several inputs a list or tuple of such arrays. A model that is
            :func:`~mcuprune.quantization.prepare.quantize_aware` has its ranges already: they are
            checked, and not used.
        debug: Leave the converter's messages on the terminal.

    Returns:
        Contents of the ``.tflite`` file, stripped (:mod:`mcuprune.deployment.strip`). Inputs and
        outputs are in the order of ``model.inputs`` and ``model.outputs``. Real ones are int8;
        integers (of an embedding) stay int32.

    Raises:
        InputError: The calibration data do not fit the model, or its weights hold NaN.
        UnsupportedModelError: The model keeps its inputs or outputs in a dict, has an open input
            dimension, or is subclassed.
        ConversionError: The converter failed, or left operators that are not int8.
    """
    from mcuprune.ir.fake_quantization import is_quantize_aware

    _require_fixed_shapes(model)
    _require_finite_weights(model)
    samples = calibration_arrays(calibration, model)
    plain = in_float32(model)
    with unrolled(plain), in_device_form(plain):
        traced = _traced(plain, samples)
    given = None if is_quantize_aware(plain) else samples
    converted = _convert(model.name, traced, given, debug)
    stray = not_int8(parse_tflite(converted, model.name))
    if stray:
        raise ConversionError(
            f"the converted model {model.name!r} is not full int8: {', '.join(stray)}. Replace the "
            "layers these come from; shapes must be fixed and every activation real."
        )
    return strip(in_usual_form(converted) if given is None else converted)


def _require_finite_weights(model: Any) -> None:
    """Refuse what a training that diverged has left; the converter would make a file of it."""
    for variable in model.weights:
        values = np.asarray(variable)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            broken = values.size - int(np.isfinite(values).sum())
            raise InputError(
                f"{broken:,} of {values.size:,} numbers of {variable.path} are NaN or infinite: "
                "the training diverged, train anew with a lower learning rate"
            )


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


def _traced(model: Any, samples: Sequence[Array]) -> Any:
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
    return tf.function(infer, input_signature=signature).get_concrete_function()


def _convert(name: str, traced: Any, samples: Sequence[Array] | None, debug: bool) -> bytes:
    def one_by_one() -> Iterator[list[Array]]:
        for sample in zip(*samples or (), strict=True):
            yield [one[None] for one in sample]

    try:
        return convert_traced(traced, None if samples is None else one_by_one, debug=debug)
    except ConversionError as error:
        problem = error
    raise ConversionError(
        f"the TFLite converter refuses model {name!r}: {problem}. Replace the "
        "layer this comes from; --debug (debug=True) shows all its messages."
    )
