"""Layers that compute with the numbers of int8, against numpy and Keras's own layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune.ir.device_forms import in_device_form
from mcuprune.ir.fake_quantization import (
    FAKE_QUANTIZED,
    FakeQuantization,
    fake_quantized_weights,
    is_quantize_aware,
)

layers = keras.layers
EXAMPLES = {
    "Conv1D": (layers.Conv1D(3, 3, activation="relu"), (10, 4), (0, 1)),
    "Conv2D": (layers.Conv2D(3, 3, strides=2, padding="same"), (8, 8, 2), (0, 1, 2)),
    "DepthwiseConv2D": (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3), (0, 1)),
    "Dense": (layers.Dense(5, use_bias=False), (7,), (0,)),
}


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def rounded(kernel, axes):
    """Round to the multiples of each channel's largest magnitude over 127."""
    scale = np.abs(kernel).max(axis=axes, keepdims=True) / 127
    return np.round(kernel / scale) * scale


@pytest.mark.parametrize("kind", EXAMPLES)
def test_weights_are_rounded_channel_by_channel(kind):
    original, shape, axes = EXAMPLES[kind]
    inputs = noise(2, *shape)
    original(inputs)
    layer = FAKE_QUANTIZED[kind].from_config(original.get_config())
    layer(inputs)
    layer.set_weights(original.get_weights())
    kernel, *bias = original.get_weights()
    with_rounded = type(original).from_config(original.get_config())
    with_rounded(inputs)
    with_rounded.set_weights([rounded(kernel, axes), *bias])
    np.testing.assert_allclose(layer(inputs), with_rounded(inputs), atol=1e-5)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_converter_gets_the_weights_as_they_are(kind):
    original, shape, _ = EXAMPLES[kind]
    inputs = noise(2, *shape)
    expected = original(inputs)
    layer = FAKE_QUANTIZED[kind].from_config(original.get_config())
    layer(inputs)
    layer.set_weights(original.get_weights())
    with in_device_form(layer):
        np.testing.assert_array_equal(layer(inputs), expected)
    assert np.abs(np.asarray(layer(inputs) - expected)).max() > 1e-4


def test_gradients_pass_the_rounding_unchanged():
    weights = tf.Variable(noise(3, 4))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(fake_quantized_weights(weights, [1]) * 2.0)
    np.testing.assert_array_equal(tape.gradient(total, weights), np.full((3, 4), 2.0))


def test_a_channel_of_zeros_stays_zero():
    weights = np.zeros((3, 2), np.float32)
    weights[:, 1] = [1.0, 0.5, -0.25]
    found = np.asarray(fake_quantized_weights(tf.constant(weights), [1]))
    assert found[:, 0].tolist() == [0, 0, 0]
    # Multiples of 1/127: 0.5 lies between 63 and 64 of them.
    np.testing.assert_allclose(found[:, 1], [1.0, 64 / 127, -32 / 127], atol=1e-6)


def test_activations_are_limited_and_rounded():
    # 255 steps from 0 to 25.5 are 0.1 wide.
    found = FakeQuantization(0.0, 25.5)(np.array([-3.0, 0.04, 0.06, 12.34, 99.0], np.float32))
    np.testing.assert_allclose(found, [0.0, 0.0, 0.1, 12.3, 25.5], atol=1e-5)


def test_ranges_learn_from_what_lies_beyond_them():
    layer = FakeQuantization(1.0, 2.0)
    inputs = tf.constant([-5.0, 0.5, 3.0, 4.0])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(inputs))
    below, above = tape.gradient(total, [layer.below_zero.value, layer.above_zero.value])
    # One input lies below, where the output falls with the range; two lie above.
    assert (float(below), float(above)) == (-1.0, 2.0)


def test_a_fixed_range_does_not_train():
    layer = FakeQuantization(0.0, 1.0, trains=False)
    layer(np.zeros((1, 2), np.float32))
    assert layer.trainable_weights == []


def test_models_with_ranges_are_told_from_others():
    inputs = keras.Input((4,))
    plain = keras.Model(inputs, layers.Dense(2)(inputs))
    ranged = keras.Model(inputs, FakeQuantization(1, 1)(layers.Dense(2)(inputs)))
    assert not is_quantize_aware(plain)
    assert is_quantize_aware(ranged)
    assert is_quantize_aware(keras.Sequential([inputs, ranged]))
