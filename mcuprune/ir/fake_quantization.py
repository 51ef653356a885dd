"""Keras layers that compute as an int8 file will: on the numbers that int8 can hold.

Their gradients are those of ``tf.quantization.fake_quant_with_min_max_vars``: straight through
within the range, nothing beyond it, and beyond it the range itself learns. To the readers of Keras
models they are the layers that they compute; the converter gets the plain weights, which it
quantizes to the same numbers (:mod:`mcuprune.ir.device_forms`).

Importing this module makes them known to ``keras.models.load_model``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

PACKAGE = "mcuprune"
# int8 weights run from -127 to 127, so that zero is in the middle.
_WEIGHT_BITS, _NARROW = 8, True
# Channels of zeros need a range too.
_LEAST_RANGE = 1e-8


def fake_quantized_weights(weights: Any, channel_axes: Sequence[int]) -> Any:
    """Return weights rounded to the numbers that their int8 form stands for.

    Args:
        weights: Float32 tensor.
        channel_axes: The axes that make up the output channels, adjacent ones: each channel has
            its own scale, its largest magnitude over 127, as in the files of TensorFlow's
            converter.
    """
    import tensorflow as tf

    others = [axis for axis in range(len(weights.shape)) if axis not in channel_axes]
    order = [*others, *channel_axes]
    channels = 1
    for axis in channel_axes:
        channels *= weights.shape[axis]
    flat = tf.reshape(tf.transpose(weights, order), (-1, channels))
    largest = tf.maximum(tf.stop_gradient(tf.reduce_max(tf.abs(flat), axis=0)), _LEAST_RANGE)
    rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        flat, -largest, largest, num_bits=_WEIGHT_BITS, narrow_range=_NARROW
    )
    back = tf.reshape(rounded, [weights.shape[axis] for axis in order])
    return tf.transpose(back, [order.index(axis) for axis in range(len(order))])


def _finished(layer: Any, outputs: Any) -> Any:
    return layer.activation(outputs + layer.bias if layer.use_bias else outputs)


def is_quantize_aware(model: Any) -> bool:
    """Return whether a model has ranges of its own to be converted with."""
    return any(isinstance(layer, FakeQuantization) for layer in model._flatten_layers())


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantization(keras.layers.Layer):  # type: ignore[misc]
    """Rounds activations to 256 numbers from ``-below_zero`` to ``above_zero``.

    Args:
        below_zero: How far the range reaches below zero at first, 0 or more.
        above_zero: How far it reaches above zero at first, 0 or more; not both 0.
        trains: Whether training moves the range.
        **options: Those of ``keras.layers.Layer``.
    """

    _mcuprune_base = keras.layers.Identity

    def __init__(
        self, below_zero: float, above_zero: float, trains: bool = True, **options: Any
    ) -> None:
        super().__init__(**options)
        self._start = (float(below_zero), float(above_zero))
        self._trains = trains

    def build(self, input_shape: Any) -> None:
        """Make the two numbers."""
        del input_shape
        self.below_zero, self.above_zero = (
            self.add_weight(
                shape=(),
                initializer=keras.initializers.Constant(start),
                constraint=keras.constraints.NonNeg(),
                trainable=self._trains,
                name=name,
            )
            for name, start in zip(("below_zero", "above_zero"), self._start, strict=True)
        )

    def call(self, inputs: Any) -> Any:
        """Return the inputs, of any shape, rounded and limited to the range."""
        import tensorflow as tf

        return tf.quantization.fake_quant_with_min_max_vars(
            inputs, -self.below_zero, self.above_zero
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with the range that the layer had at first."""
        below_zero, above_zero = self._start
        own = {"below_zero": below_zero, "above_zero": above_zero, "trains": self._trains}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """A ``Conv2D`` that computes with the numbers of int8 weights."""

    _mcuprune_base = keras.layers.Conv2D

    def call(self, inputs: Any) -> Any:
        """Convolve with the rounded kernel."""
        outputs = self.convolution_op(inputs, fake_quantized_weights(self.kernel, [3]))
        return _finished(self, outputs)


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedConv1D(keras.layers.Conv1D):  # type: ignore[misc]
    """A ``Conv1D`` that computes with the numbers of int8 weights."""

    _mcuprune_base = keras.layers.Conv1D

    def call(self, inputs: Any) -> Any:
        """Convolve with the rounded kernel."""
        outputs = self.convolution_op(inputs, fake_quantized_weights(self.kernel, [2]))
        return _finished(self, outputs)


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedDepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """A ``DepthwiseConv2D`` that computes with the numbers of int8 weights."""

    _mcuprune_base = keras.layers.DepthwiseConv2D

    def call(self, inputs: Any) -> Any:
        """Convolve each channel with its rounded kernel."""
        outputs = keras.ops.depthwise_conv(
            inputs,
            fake_quantized_weights(self.kernel, [2, 3]),
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        return _finished(self, outputs)


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedDense(keras.layers.Dense):  # type: ignore[misc]
    """A ``Dense`` layer that computes with the numbers of int8 weights."""

    _mcuprune_base = keras.layers.Dense

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Multiply by the rounded kernel, shape ``(..., units)``."""
        del training
        outputs = keras.ops.matmul(inputs, fake_quantized_weights(self.kernel, [1]))
        return _finished(self, outputs)


# The layer that takes the place of each layer with weights.
FAKE_QUANTIZED: dict[str, type] = {
    layer._mcuprune_base.__name__: layer
    for layer in (
        FakeQuantizedConv1D,
        FakeQuantizedConv2D,
        FakeQuantizedDepthwiseConv2D,
        FakeQuantizedDense,
    )
}
