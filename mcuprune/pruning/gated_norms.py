"""Normalization over the channels that are open: mean and variance weighted by the gates.

A layer that takes its statistics over the channels would feel a closed channel. With each channel
weighted by its gate, a closed one is the same as an absent one.
"""

from __future__ import annotations

from typing import Any


def gated_normalization(layer: Any, inputs: Any, weights: Any) -> Any:
    """Return what a normalization layer makes of its input, its statistics weighted.

    Args:
        layer: A ``LayerNormalization`` or ``RMSNormalization`` over the last axis, or a
            ``GroupNormalization``.
        inputs: Tensor, channels last.
        weights: Gate of each channel, float32 of shape ``(channels,)``; not all 0.

    Returns:
        A tensor of the layer's compute dtype.
    """
    import tensorflow as tf

    x = tf.cast(inputs, tf.float32)
    groups = getattr(layer, "groups", None)
    if groups is not None:
        normal = _by_group(x, weights, groups, layer.epsilon)
        normal = _scaled(normal, layer.gamma, layer.beta)
    elif _is_rms(layer):
        power = _mean(tf.square(x), weights, [-1])
        normal = _scaled(x * tf.math.rsqrt(power + layer.epsilon), layer.scale, None)
    else:
        normal = _scaled(_standard(x, weights, [-1], layer.epsilon), layer.gamma, layer.beta)
    return tf.cast(normal, layer.compute_dtype)


def _is_rms(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.RMSNormalization)


def _mean(x: Any, weights: Any, axes: list[int]) -> Any:
    """Return the weighted mean over axes, kept with length 1."""
    import tensorflow as tf

    total = tf.reduce_sum(x * weights, axes, keepdims=True)
    return total / tf.reduce_sum(tf.ones_like(x[:1]) * weights, axes, keepdims=True)


def _standard(x: Any, weights: Any, axes: list[int], epsilon: float) -> Any:
    import tensorflow as tf

    centred = x - _mean(x, weights, axes)
    return centred * tf.math.rsqrt(_mean(tf.square(centred), weights, axes) + epsilon)


def _by_group(x: Any, weights: Any, groups: int, epsilon: float) -> Any:
    import tensorflow as tf

    per_group = x.shape[-1] // groups
    apart = tf.reshape(x, tf.concat([tf.shape(x)[:-1], [groups, per_group]], 0))
    axes = [*range(1, len(x.shape) - 1), len(x.shape)]
    normal = _standard(apart, tf.reshape(weights, [groups, per_group]), axes, epsilon)
    return tf.reshape(normal, tf.shape(x))


def _scaled(x: Any, scale: Any, offset: Any) -> Any:
    import tensorflow as tf

    if scale is not None:
        x = x * tf.cast(scale, x.dtype)
    return x if offset is None else x + tf.cast(offset, x.dtype)
