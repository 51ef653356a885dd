"""What the converter makes of a model, also where some operators stay in float."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mcuprune.deployment.strip import strip
from mcuprune.ir.device_forms import in_device_form
from mcuprune.ir.int8_converter import convert_traced
from mcuprune.ir.keras_order import input_names

SAMPLES = 8


def converted_file(model: Any) -> bytes:
    """Convert a model of any number of inputs and outputs, calibrated on random numbers."""
    random = np.random.RandomState(0)
    samples = [[_random(random, tensor) for tensor in model.inputs] for _ in range(SAMPLES)]

    def infer(*inputs: Any) -> Any:
        outputs = keras.tree.flatten(
            model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        )
        return outputs if len(outputs) > 1 else outputs[0]

    signature = [
        tf.TensorSpec(array.shape, array.dtype, name=name)
        for name, array in zip(input_names(len(model.inputs)), samples[0], strict=True)
    ]
    with in_device_form(model):
        traced = tf.function(infer, input_signature=signature).get_concrete_function()
    return strip(convert_traced(traced, lambda: iter(samples)))


def _random(random: np.random.RandomState, tensor: Any) -> Any:
    shape = (1, *tensor.shape[1:])
    if tensor.dtype.startswith("int"):
        return random.randint(0, 20, shape).astype(tensor.dtype)
    return random.normal(size=shape).astype(tensor.dtype)
