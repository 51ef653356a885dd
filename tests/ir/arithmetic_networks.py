"""Networks of arithmetic: with constants, between tensors of different shapes, with itself."""

from __future__ import annotations

import numpy as np
from keras import layers, ops
from small_networks import network


def _same(width, kernel=3, **options):
    return layers.Conv2D(width, kernel, padding="same", **options)


@network(8, 8, 4)
def constants_beside_a_convolution(x):
    x = _same(4)(x) + 3.0
    x = _same(4)(x * (1 / 6))
    return 2 - x


@network(8, 8, 4)
def constants_that_cannot_fold(x):
    x = layers.MaxPooling2D(2)(x)
    x = x * 0.5 + 1.0
    x = layers.MaxPooling2D(2)(1.5 - x)
    x = layers.MaxPooling2D(2)(x - 0.25)
    return x / 4


@network(8, 8, 4)
def constants_given_to_operations(x):
    x = layers.MaxPooling2D(2)(x)
    x = ops.maximum(ops.multiply(x, 0.7), -0.5)
    x = layers.MaxPooling2D(2)(ops.minimum(1.0, x))
    return ops.subtract(0.3, ops.add(x, 0.1))


@network(8, 8, 4)
def constants_per_channel(x):
    x = layers.MaxPooling2D(2)(x) * np.array([1.0, 2.0, 0.5, -1.0], "float32")
    return layers.AveragePooling2D(2)(x + np.array([0.1, 0.2, 0.3, 0.4], "float32"))


@network(8, 8, 4)
def constants_that_change_nothing(x):
    x = layers.MaxPooling2D(2)(x) * 1.0
    return layers.MaxPooling2D(2)(x + 0.0)


@network(8, 8, 4)
def negated(x):
    return _same(4)(-layers.MaxPooling2D(2)(x))


@network(8, 8, 4)
def divided_by_a_tensor(x):
    return layers.MaxPooling2D(2)(x) / ops.sigmoid(layers.AveragePooling2D(2)(x))


@network(8, 8, 4)
def squared_and_rooted(x):
    x = ops.square(_same(4)(x))
    return ops.sqrt(layers.MaxPooling2D(2)(x))


@network(8, 8, 4)
def powers(x):
    x = _same(4)(x)
    return layers.MaxPooling2D(2)(x) ** 2


@network(8, 8, 4)
def absolute_and_exponential(x):
    return ops.exp(-ops.abs(_same(4)(x)))


@network(8, 8, 4)
def joined_elementwise(x):
    left, right = _same(4)(x), layers.MaxPooling2D(3, 1, padding="same")(x)
    low = layers.Minimum()([left, right])
    return layers.Average()([low, x, layers.Subtract()([left, right])])


@network(8, 8, 4)
def hard_sigmoid_by_hand(x):
    x = layers.BatchNormalization()(_same(8, use_bias=False)(x))
    gate = layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)
    return _same(4)(layers.Multiply()([x, gate]))


@network(8, 8, 4)
def squeeze_and_excite_with_hard_sigmoid(x):
    x = _same(8)(x)
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.ReLU()(layers.Conv2D(4, 1)(s))
    s = layers.Conv2D(8, 1)(s)
    s = layers.ReLU(6.0)(s + 3.0) * (1.0 / 6.0)
    return layers.Multiply()([x, s])


@network(8, 8, 4)
def gated_by_one_channel(x):
    return _same(4)(x) * _same(1, activation="sigmoid")(x)


@network(8, 8, 4)
def operations_on_tensors(x):
    y = _same(4)(x)
    z = ops.add(ops.multiply(x, y), ops.subtract(y, x))
    return ops.concatenate([ops.maximum(z, y), ops.minimum(z, x)], axis=-1)


@network(8, 8, 4)
def reduced_over_space_and_channels(x):
    x = _same(6)(x)
    mean, top = ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)
    gate = _same(1, 7, activation="sigmoid")(ops.concatenate([mean, top], axis=-1))
    return ops.mean(x * gate, axis=(1, 2))


@network(8, 8, 4)
def summed_over_space(x):
    return layers.Dense(3)(ops.sum(_same(6)(x), axis=[1, 2]))


@network(8, 8, 4)
def scalar_weight_and_dot(x):
    x = layers.GlobalAveragePooling2D()(_same(6)(x))
    return layers.Dense(2)(layers.Multiply()([x, layers.Dense(1, activation="sigmoid")(x)]))


@network(8, 8, 4)
def clipped(x):
    return layers.MaxPooling2D(2)(ops.clip(_same(4)(x), -0.5, 0.75))


@network(8, 8, 4)
def mean_of_one_pixel(x):
    x = layers.MaxPooling2D(8)(_same(6)(x))
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Conv2D(6, 1)(x)))


@network(8, 8, 4)
def constants_that_stand_first(x):
    x = layers.MaxPooling2D(2)(x)
    x = layers.MaxPooling2D(2)(1.0 + 0.5 * x)
    return ops.maximum(0.1, x)


@network(8, 8, 4)
def the_same_constant_again(x):
    x = layers.MaxPooling2D(2)(x) * 0.5
    return layers.MaxPooling2D(2)(x * 0.5) + 0.5


@network(8, 8, 4)
def subtracted_from_a_number_before_a_convolution(x):
    return layers.ReLU()(layers.Conv2D(3, 3)(1.0 - _same(4)(x)))


@network(8, 8, 4)
def largest_of_one_pixel(x):
    x = layers.MaxPooling2D(8)(_same(6)(x))
    return layers.GlobalMaxPooling2D(keepdims=True)(x)


@network(8, 8, 4)
def constants_per_channel_beside_convolutions(x):
    x = _same(4)(x) * np.array([1.0, 2.0, 0.5, -1.0], "float32")
    x = _same(4)(x + np.array([0.1, 0.2, 0.3, 0.4], "float32"))
    return x - np.array([0.1, 0.2, 0.3, 0.4], "float32").reshape(1, 1, 1, 4)


@network(8, 8, 4)
def sigmoid_joined_with_others(x):
    gate = layers.AveragePooling2D(2)(_same(4, activation="sigmoid")(x))
    return layers.Concatenate()([gate, layers.MaxPooling2D(2)(_same(3)(x)), gate])


@network(8, 8, 4)
def sigmoid_joined_and_multiplied(x):
    gate = _same(4, activation="sigmoid")(x)
    return layers.Concatenate()([gate, _same(4)(x) * gate])


@network(8, 8, 4)
def larger_of_two_fixed_ranges(x):
    x = layers.Maximum()([_same(4, activation="tanh")(x), _same(4, activation="sigmoid")(x)])
    return layers.Dense(3)(layers.Flatten()(x))


@network(8, 8, 4)
def softmax_that_joins_nothing(x):
    return _same(3)(layers.MaxPooling2D(2)(layers.Softmax()(_same(4)(x))))
