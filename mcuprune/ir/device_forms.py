"""Layers as a microcontroller runs them: the same numbers from operators that it has in int8.

Keras upsamples by repeating rows and columns, which the converter writes as RESHAPE and TILE;
TensorFlow Lite Micro has no TILE. Resizing to the nearest pixel, with pixel centres at halves,
gives the same numbers for whole factors. Keras's embedding lets negative places count from the end,
by a SELECT that TFLM lacks; a table looked up as it is needs a GATHER alone. Keras's normalizations
negate the mean and square differences; the converter leaves NEG and SQUARE in float32. Subtracting
the mean and multiplying the difference by itself has int8 operators throughout. A bias of one
number is added where the converter folds it into the convolution; over one axis Keras adds it with
three axes, which stays an ADD of its own. Layers that compute with the numbers of int8 weights hand
these over as they are, and the converter rounds them to the same numbers.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Call = Callable[[Any], Any]


@contextlib.contextmanager
def in_device_form(layer: Any) -> Iterator[None]:
    """Let layers compute in their form for the device while the block runs.

    Args:
        layer: A ``keras.Layer`` or model; what it holds is changed too.
    """
    forms = {part: device_form(part) for part in layer._flatten_layers()}
    changed = {part: form for part, form in forms.items() if form is not None}
    for part, form in changed.items():
        vars(part)["call"] = form
    try:
        with _plain_additions():
            yield
    finally:
        for part in changed:
            del vars(part)["call"]


@contextlib.contextmanager
def _plain_additions() -> Iterator[None]:
    """Let Keras add a summand of one channel as it stands.

    In a batch of one it takes a summand of shape ``(1, n, 1)`` for a bias of n channels, which the
    converter refuses, and adds it along the last axis where that is as long.
    """
    import keras
    import tensorflow as tf

    operations = keras.src.backend.numpy
    usual = operations.add

    def add(x1: Any, x2: Any) -> Any:
        shape: Any = getattr(x2, "shape", ())
        if len(shape) > 1 and shape[-1] == 1 and getattr(x1, "dtype", None) == x2.dtype:
            return tf.add(x1, x2)
        return usual(x1, x2)

    operations.add = add
    try:
        yield
    finally:
        operations.add = usual


def device_form(layer: Any) -> Call | None:
    """Return what a layer computes on the device; None if that is its own ``call``."""
    import keras

    forms: dict[type, Callable[[Any], Call | None]] = {
        keras.layers.Conv1D: _convolution_1d,
        keras.layers.Conv1DTranspose: _transposed_convolution_1d,
        keras.layers.Embedding: _embedding,
        keras.layers.UpSampling1D: _upsampling_1d,
        keras.layers.UpSampling2D: _upsampling_2d,
        keras.layers.LayerNormalization: _layer_normalization,
        keras.layers.RMSNormalization: _root_mean_square,
        keras.layers.GroupNormalization: _group_normalization,
    }
    kind = _plain_kind(layer)
    form = forms[kind](layer) if kind in forms else None
    if form is None and kind is not type(layer):
        return functools.partial(kind.call, layer)
    return form


def _plain_kind(layer: Any) -> Any:
    """Return a layer's class, of one that computes with int8 weights the class without them."""
    from mcuprune.ir.fake_quantization import FAKE_QUANTIZED

    kind: Any = type(layer)
    return kind._mcuprune_base if kind in FAKE_QUANTIZED.values() else kind


def _has_bias_of_one(layer: Any) -> bool:
    return bool(layer.use_bias and layer.filters == 1 and layer.data_format == "channels_last")


def _transposed_convolution_1d(layer: Any) -> Call | None:
    import keras

    if not _has_bias_of_one(layer):
        return None
    ops = keras.ops
    further = None if layer.output_padding is None else (0, *layer.output_padding)

    def call(x: Any) -> Any:
        wide = ops.conv_transpose(
            ops.expand_dims(x, 1),
            ops.expand_dims(layer.kernel, 0),
            strides=(1, *layer.strides),
            padding=layer.padding,
            output_padding=further,
            data_format="channels_last",
            dilation_rate=(1, *layer.dilation_rate),
        )
        return layer.activation(ops.squeeze(wide + layer.bias, 1))

    return call


def _convolution_1d(layer: Any) -> Call | None:
    import keras

    if not _has_bias_of_one(layer):
        return None
    ops = keras.ops
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    is_causal = layer.padding == "causal"

    def call(x: Any) -> Any:
        if is_causal:
            x = ops.pad(x, [[0, 0], [before, 0], [0, 0]])
        wide = ops.conv(
            ops.expand_dims(x, 1),
            ops.expand_dims(layer.kernel, 0),
            strides=(1, *layer.strides),
            padding="valid" if is_causal else layer.padding,
            data_format="channels_last",
            dilation_rate=(1, *layer.dilation_rate),
        )
        return layer.activation(ops.squeeze(wide + layer.bias, 1))

    return call


def _embedding(layer: Any) -> Call | None:
    import tensorflow as tf

    if layer.quantization_mode is not None:
        return None
    return lambda places: tf.gather(layer.embeddings, tf.cast(places, tf.int32))


def _upsampling_1d(layer: Any) -> Call:
    import keras

    def call(x: Any) -> Any:
        wide = keras.ops.expand_dims(x, 1)
        return keras.ops.squeeze(_nearest(wide, 1, layer.size), 1)

    return call


def _upsampling_2d(layer: Any) -> Call | None:
    if layer.data_format != "channels_last" or layer.interpolation != "nearest":
        return None
    return lambda x: _nearest(x, *layer.size)


def _nearest(x: Any, rows: int, columns: int) -> Any:
    import keras

    size = (x.shape[1] * rows, x.shape[2] * columns)
    return keras.ops.image.resize(x, size, interpolation="nearest", data_format="channels_last")


def _layer_normalization(layer: Any) -> Call | None:
    if layer.rms_scaling or not _is_last(layer.axis):
        return None
    return lambda x: _scaled(_standard(x, [-1], layer.epsilon), layer.gamma, layer.beta)


def _root_mean_square(layer: Any) -> Call | None:
    if not _is_last(layer.axis):
        return None
    return lambda x: _scaled(_divided(x, [-1], layer.epsilon), layer.scale, None)


def _group_normalization(layer: Any) -> Call | None:
    import keras

    if not _is_last(layer.axis):
        return None

    def call(x: Any) -> Any:
        # All pixels in one axis: TFLM broadcasts over four.
        apart = (-1, _pixels(x.shape), layer.groups, x.shape[-1] // layer.groups)
        standard = _standard(keras.ops.reshape(x, apart), [1, 3], layer.epsilon)
        return _scaled(keras.ops.reshape(standard, (-1, *x.shape[1:])), layer.gamma, layer.beta)

    return call


def _is_last(axis: Any) -> bool:
    return axis == -1 or list(axis if isinstance(axis, Sequence) else ()) == [-1]


def _pixels(shape: Any) -> int:
    count = 1
    for dim in shape[1:-1]:
        count *= dim
    return count


def _standard(x: Any, axes: Sequence[int], epsilon: float) -> Any:
    import keras

    return _divided(x - keras.ops.mean(x, axes, keepdims=True), axes, epsilon)


def _divided(x: Any, axes: Sequence[int], epsilon: float) -> Any:
    """Divide by the root of the mean square."""
    import keras

    power = keras.ops.mean(x * x, axes, keepdims=True)
    return x * keras.ops.rsqrt(power + epsilon)


def _scaled(x: Any, factor: Any, summand: Any) -> Any:
    if factor is not None:
        x = x * factor
    return x if summand is None else x + summand
