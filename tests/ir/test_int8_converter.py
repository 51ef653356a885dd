"""The converter's calls: what would end the process is refused before."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mcuprune.errors import ConversionError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.int8_converter import convert_traced


def traced(function):
    signature = [tf.TensorSpec((1, 4), tf.float32, name="input")]
    return tf.function(function, input_signature=signature).get_concrete_function()


def samples():
    yield [np.float32([[0.0, 1.0, 2.0, 3.0]])]


def doubled(x):
    return tf.while_loop(lambda y: tf.reduce_sum(y) < 9, lambda y: (y + y,), (x,))[0]


@pytest.mark.parametrize(
    "function",
    [
        doubled,
        tf.function(doubled),
        lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x + x, lambda: x * x),
    ],
    ids=["loop", "loop in an inner function", "branch"],
)
def test_control_flow_is_refused(function):
    with pytest.raises(ConversionError, match="is a loop or a branch"):
        convert_traced(traced(function), samples)


def test_operators_without_an_int8_form_compute_in_float():
    file = convert_traced(traced(tf.sin), samples)
    kinds = [op.kind for op in parse_tflite(file, "sine").operators]
    assert kinds == ["DEQUANTIZE", "SIN", "QUANTIZE"]
