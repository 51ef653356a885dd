"""Int8 operators for those left in float32 between conversions, with the same answers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mcuprune.deployment.strip import strip
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.float_stretches import without_float_stretches
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.int8_converter import convert_traced

# What calibration sees, and all codes that an int8 tensor can hold.
SPREAD = np.linspace(-4, 4, 256, dtype=np.float32)[None]
CODES = np.arange(-128, 128, dtype=np.int8)[None]


def traced(function):
    signature = [tf.TensorSpec((1, 256), tf.float32, name="input")]
    return tf.function(function, input_signature=signature).get_concrete_function()


def converted(function) -> bytes:
    return convert_traced(traced(function), lambda: [[SPREAD]])


def as_tensorflow_converts(function) -> bytes:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced(function)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[SPREAD]]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def operators(file: bytes) -> list[str]:
    return [op.kind for op in parse_tflite(file, "model").operators]


@pytest.mark.parametrize("engine", [LiteRT(), TFLM()], ids=["LiteRT", "TFLM"])
def test_answers_are_those_of_the_float_kernel(engine) -> None:
    file, original = converted(tf.nn.elu), as_tensorflow_converts(tf.nn.elu)
    assert operators(original) == ["DEQUANTIZE", "ELU", "QUANTIZE"]
    assert operators(file) == ["ELU"]
    ours = engine.run(file, CODES).outputs.astype(int)
    theirs = LiteRT().run(original, CODES).outputs.astype(int)
    # The table multiplies by the scale's inverse where QUANTIZE divides: halves can fall apart.
    assert np.abs(ours - theirs).max() <= 1
    assert np.mean(ours == theirs) > 0.99
    assert len(np.unique(theirs)) > 100


def test_tensors_in_between_are_gone() -> None:
    assert len(parse_tflite(converted(tf.nn.elu), "model").tensors) == 2


def test_several_in_one_model() -> None:
    file = converted(lambda x: tf.nn.elu(x) * tf.nn.elu(-2.0 * x))
    assert operators(file).count("ELU") == 2
    assert not {"DEQUANTIZE", "QUANTIZE"} & set(operators(file))


def test_longer_stretches_in_float_stay() -> None:
    file = converted(lambda x: tf.nn.elu(tf.sin(x)))
    assert operators(file) == ["DEQUANTIZE", "SIN", "ELU", "QUANTIZE"]


def test_files_without_elu_are_returned_as_they_are() -> None:
    file = as_tensorflow_converts(tf.nn.relu)
    assert without_float_stretches(file) is file


def split(x):
    first, _ = tf.split(x, 2, axis=1)
    return first


def split_by_sizes(x):
    _, middle, _ = tf.split(x, [64, 128, 64], axis=1)
    return middle


def unstack(x):
    return tf.unstack(tf.reshape(x, (1, 4, 64)), axis=1)[1]


@pytest.mark.parametrize("part", [split, split_by_sizes, unstack])
@pytest.mark.parametrize("engine", [LiteRT(), TFLM()], ids=["LiteRT", "TFLM"])
def test_parts_that_are_not_read_compute_in_int8(part, engine) -> None:
    kind = {split: "SPLIT", split_by_sizes: "SPLIT_V", unstack: "UNPACK"}[part]
    function = traced(lambda x: part(tf.tanh(x)))
    # TensorFlow leaves the operator in float32 in two of five runs.
    files = {strip(convert_traced(function, lambda: [[SPREAD]])) for _ in range(12)}
    (file,) = files
    assert kind in operators(file)
    assert {tensor.dtype for tensor in parse_tflite(file, "model").tensors} == {"int8", "int32"}
    whole = engine.run(converted(tf.tanh), CODES).outputs
    assert np.array_equal(engine.run(file, CODES).outputs, part(whole).numpy())
