"""Small networks, one per thing the converter folds, moves or leaves alone.

Weights are random: a fresh layer's biases of zeros would be folded away or stored once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

NETWORKS: dict[str, Callable[[], Any]] = {}


def network(
    *input_shape: int, name: str | None = None
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Register a network, written as a function of its input."""

    def register(body: Callable[[Any], Any]) -> Callable[[Any], Any]:
        NETWORKS[body.__name__] = functools.partial(build_network, body, input_shape, name)
        return body

    return register


def build_network(
    body: Callable[[Any], Any], input_shape: tuple[int, ...], name: str | None = None
) -> Any:
    keras.utils.clear_session()
    inputs = keras.Input(input_shape)
    return randomised(keras.Model(inputs, body(inputs), name=name))


def randomised(model: Any) -> Any:
    """Give a model random weights, its variances and scales positive."""
    random = np.random.RandomState(1)
    for variable in model.weights:
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        else:
            variable.assign(random.normal(0, 0.3, variable.shape))
    return model


def _conv(width: int, kernel: int = 3, **options: Any) -> Any:
    return layers.Conv2D(width, kernel, **options)


def _same(width: int, kernel: int = 3, **options: Any) -> Any:
    return layers.Conv2D(width, kernel, padding="same", **options)


@network(8, 8, 3)
def conv_bn_relu_with_and_without_bias(x):
    x = layers.ReLU()(layers.BatchNormalization()(_same(4)(x)))
    x = _same(5, strides=2, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    return layers.Dense(10, activation="softmax")(x)


@network(8, 8, 3)
def activation_inside_the_layer(x):
    return _conv(4, activation="relu6")(_conv(4, activation="relu")(x))


@network(8, 8, 1)
def no_bias_anywhere(x):
    x = _same(4, use_bias=False)(x)
    x = layers.DepthwiseConv2D(3, use_bias=False, padding="same")(x)
    return layers.Dense(10, use_bias=False)(layers.Flatten()(x))


@network(8, 8, 3)
def batch_norm_before_conv_and_after_relu(x):
    x = layers.ReLU()(_conv(4)(layers.BatchNormalization()(x)))
    return _conv(4)(layers.BatchNormalization()(x))


@network(8, 8, 1)
def batch_norm_of_one_channel_folds_into_the_next_conv(x):
    return layers.ReLU()(_conv(4)(layers.BatchNormalization()(x)))


@network(8, 8, 3)
def batch_norm_of_a_value_read_twice(x):
    x = _conv(4)(x)
    return layers.Add()([layers.BatchNormalization()(x), x])


@network(8, 8, 4)
def batch_norm_after_pooling(x):
    x = layers.MaxPooling2D(2)(_conv(4)(x))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.BatchNormalization()(layers.AveragePooling2D(2, padding="same")(x))


@network(8, 8, 4)
def residual_before_activation(x):
    x = layers.Add()([x, _same(4)(x)])
    y = _same(4)(layers.ReLU()(layers.BatchNormalization()(x)))
    return layers.ReLU()(layers.Add()([x, y]))


@network(8, 8, 4)
def residual_with_projection_and_global_max(x):
    y = layers.Activation("relu")(layers.BatchNormalization()(_same(6, strides=2)(x)))
    y = layers.BatchNormalization()(_same(6)(y))
    x = layers.Add()([_conv(6, 1, strides=2)(x), y])
    return layers.GlobalMaxPooling2D()(layers.Activation("relu")(x))


@network(8, 8, 4)
def zero_padding_absorbed_where_it_is_same_padding(x):
    x = _conv(4, strides=2)(layers.ZeroPadding2D(1)(x))
    x = _conv(4)(layers.ZeroPadding2D(1)(x))
    return layers.DepthwiseConv2D(3, strides=2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))


@network(9, 9, 4)
def zero_padding_of_odd_images_and_dilated_kernels(x):
    x = _conv(4, strides=2)(layers.ZeroPadding2D(1)(x))
    x = _conv(4, dilation_rate=2)(layers.ZeroPadding2D(2)(x))
    return _same(4)(layers.ZeroPadding2D(1)(x))


@network(8, 8, 4)
def zero_padding_read_twice(x):
    x = layers.ZeroPadding2D(1)(x)
    left, right = _conv(4)(x), _conv(4, strides=2)(x)
    return layers.Concatenate()([layers.Flatten()(left), layers.Flatten()(right)])


@network(8, 8, 4)
def zero_padding_before_pooling(x):
    x = layers.ZeroPadding2D(1)(layers.ReLU()(_conv(4)(x)))
    x = layers.ZeroPadding2D(1)(layers.MaxPooling2D(3, strides=2)(x))
    return _conv(3)(layers.AveragePooling2D(3, strides=1)(x))


@network(8, 8, 4)
def squeeze_and_excite_by_convolutions(x):
    x = _conv(8, 1)(x)
    s = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    s = _conv(8, 1, activation="sigmoid")(_conv(4, 1, activation="relu")(s))
    return layers.Multiply()([x, s])


@network(8, 8, 4)
def squeeze_and_excite_kept_as_image(x):
    x = _conv(8, 1)(x)
    s = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([x, layers.Dense(8, activation="sigmoid")(s)])


@network(8, 8, 4)
def squeeze_and_excite_reshaped_last(x):
    x = _conv(8)(x)
    s = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    s = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="hard_sigmoid")(s))
    return layers.Multiply()([x, s])


@network(8, 8, 4)
def squeeze_and_excite_reshaped_first(x):
    x = _conv(8)(x)
    s = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    s = layers.Dense(8, activation="sigmoid")(layers.Dense(4, activation="relu")(s))
    return layers.Multiply()([s, x])


@network(8, 8, 4)
def separable_dilated_and_average_pool(x):
    x = layers.SeparableConv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.SeparableConv2D(8, 3, use_bias=False, depth_multiplier=2)(x)
    x = _same(8, dilation_rate=2, activation="relu6")(x)
    return layers.AveragePooling2D(2)(x)


@network(8, 8, 1)
def depthwise_of_one_channel(x):
    x = layers.DepthwiseConv2D(3, use_bias=False, padding="same", depth_multiplier=4)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu")(x)
    return layers.DepthwiseConv2D(3)(_conv(1, 1)(x))


@network(8, 8, 4)
def depthwise_with_strides_and_dilation(x):
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu6")(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D((3, 1), depth_multiplier=2)(x))
    return layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(layers.ReLU()(x))


@network(8, 8, 4)
def grouped_convolution(x):
    return layers.ReLU()(_conv(8, groups=2)(x))


@network(8, 8, 4)
def transposed_convolutions(x):
    x = layers.Conv2DTranspose(3, 3, strides=2, use_bias=False)(x)
    x = layers.BatchNormalization()(layers.Conv2DTranspose(3, 2, strides=2)(x))
    x = layers.Conv2DTranspose(3, 2, strides=2, padding="same", use_bias=False)(x)
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


@network(8, 8, 4)
def upsampling(x):
    x = _conv(4)(layers.ReLU()(layers.UpSampling2D(2)(x)))
    x = layers.BatchNormalization()(layers.UpSampling2D((1, 2))(x))
    return _conv(4)(layers.Cropping2D(((1, 0), (0, 2)))(x))


@network(8, 8, 4)
def upsampling_bilinear(x):
    return layers.UpSampling2D(2, interpolation="bilinear")(_conv(2)(x))


@network(8, 8, 4)
def dense_network(x):
    x = _same(4)(x)
    for _ in range(2):
        y = _same(4)(layers.ReLU()(layers.BatchNormalization()(x)))
        x = layers.Concatenate()([x, y])
    return layers.GlobalAveragePooling2D()(layers.MaxPooling2D(2)(x))


@network(8, 8, 4)
def inception_blocks(x):
    for _ in range(2):
        left = _conv(4, 1, activation="relu")(x)
        middle = _same(4, activation="relu")(_conv(2, 1, activation="relu")(x))
        right = layers.MaxPooling2D(3, strides=1, padding="same")(x)
        x = layers.Concatenate()([left, middle, right])
    return x


@network(8, 8, 4)
def concat_then_activation(x):
    x = layers.ReLU()(layers.Concatenate()([_same(4)(x), _same(3)(x)]))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.Concatenate(axis=1)([x, x])


@network(8, 8, 4)
def branches_pooled_apart(x):
    left = layers.GlobalAveragePooling2D()(_conv(3)(x))
    right = layers.GlobalAveragePooling2D()(_conv(3)(x))
    return layers.Dense(2)(layers.Concatenate()([left, right]))


@network(8, 8, 4)
def three_summands_and_factors(x):
    y = layers.Add()([_same(4)(x), x, _same(4, 1)(x)])
    return layers.Multiply()([x, y, x])


@network(8, 8, 4)
def arithmetic_of_keras_tensors(x):
    y = keras.ops.relu(_same(4)(x) + x)
    y = layers.Average()([x, y * y])
    return layers.Maximum()([layers.Subtract()([y, x]), x])


@network(8, 8, 3)
def rescaling_folds_into_a_valid_convolution(x):
    x = layers.Dropout(0.3)(_conv(4)(layers.Rescaling(1 / 255, offset=-0.5)(x)))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(4)(layers.Flatten()(x))))
    return layers.Dense(2)(x)


@network(8, 8, 3)
def rescaling_before_padding(x):
    return _same(4)(layers.Rescaling(1 / 127.5, offset=-1)(x))


@network(8, 8, 3)
def rescaling_without_offset(x):
    return _same(4)(layers.Rescaling(1 / 255)(x))


@network(8, 8, 4)
def normalization(x):
    mean, variance = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]
    return _conv(4)(layers.Normalization(mean=mean, variance=variance)(x))


@network(8, 8, 3)
def activations_that_stay(x):
    x = layers.LeakyReLU(0.1)(_conv(4, activation="tanh")(x))
    x = _conv(4, activation="hard_swish")(_conv(4, 1, activation="swish")(x))
    x = layers.PReLU(shared_axes=[1, 2])(_conv(4, 1)(x))
    return _conv(1, 1, activation="hard_sigmoid")(x)


@network(8, 8, 3)
def activations_after_what_cannot_fuse_them(x):
    x = layers.ReLU()(layers.ZeroPadding2D(1)(layers.ReLU()(x)))
    x = layers.ReLU()(layers.MaxPooling2D(2)(x))
    return layers.ReLU()(layers.AveragePooling2D(2)(x))


@network(8, 8, 3)
def activation_beside_another_reader(x):
    x = _conv(4)(x)
    return layers.Add()([layers.ReLU()(x), layers.Activation("sigmoid")(x)])


@network(8, 8, 4)
def activations_repeated(x):
    x = layers.MaxPooling2D(2)(layers.ReLU()(_conv(4, activation="relu")(x)))
    x = layers.ReLU(6.0)(layers.ReLU()(_same(4)(x)))
    left, right = layers.ReLU()(_conv(4, 1)(x)), layers.ReLU()(x)
    return layers.Add()([left, layers.ReLU()(x), right])


@network(8)
def sums_of_vectors(x):
    y = layers.Dense(8, activation="relu")(x)
    x = layers.ReLU()(layers.Add()([y, x]))
    y = layers.Add()([layers.Dense(8)(x), x])
    return layers.Subtract()([layers.Multiply()([y, x]), layers.Dense(8)(y)])


@network(8, 8, 4)
def sum_of_flattened_images(x):
    left, right = layers.MaxPooling2D(2)(x), layers.AveragePooling2D(2)(x)
    x = layers.Add()([layers.Flatten()(left), layers.Flatten()(right)])
    return layers.Dense(3)(x)


@network(8, 8, 4)
def flatten_then_activation_and_batch_norm(x):
    x = layers.ReLU()(layers.Flatten()(_conv(4)(x)))
    x = layers.Dense(4)(layers.BatchNormalization()(x))
    return layers.ReLU()(layers.Reshape((2, 2, 1))(x))


@network(9, 9, 4)
def flatten_of_one_pixel(x):
    x = layers.AveragePooling2D(5)(layers.MaxPooling2D(3, strides=2, padding="same")(x))
    x = layers.Dropout(0.1)(layers.Dense(4)(layers.Flatten()(x)))
    return layers.Activation("softmax")(layers.Activation("linear")(x))


@network(64)
def reshape_into_an_image_and_back(x):
    x = _conv(4)(layers.Reshape((8, 8, 1))(x))
    x = _conv(4, 1)(layers.GlobalMaxPooling2D(keepdims=True)(x))
    return layers.Softmax()(layers.Flatten()(x))


@network(8, 4)
def dense_on_sequences(x):
    x = layers.Dense(3)(layers.Dense(6, activation="relu")(x))
    return layers.Dense(1, activation="sigmoid")(layers.Flatten()(x))


@network(8, 5)
def batch_norm_before_dense_on_sequences(x):
    x = layers.ReLU()(layers.Dense(4, use_bias=False)(layers.BatchNormalization()(x)))
    return layers.Dense(4, use_bias=False)(layers.BatchNormalization()(x))


@network(8)
def batch_norm_before_dense_folds(x):
    x = layers.Dense(4, activation="relu")(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Dense(4, use_bias=False)(x))
    return layers.Dense(3, activation="tanh")(layers.BatchNormalization()(layers.ReLU()(x)))


@network(8)
def batch_norm_before_dense_without_bias(x):
    x = layers.Dense(4, use_bias=False)(layers.BatchNormalization()(x))
    return layers.Dense(4, use_bias=False)(layers.Rescaling(0.5, 0.3)(layers.ReLU()(x)))


@network(5)
def batch_norm_read_by_dense_and_another(x):
    x = layers.BatchNormalization()(x)
    return layers.Multiply()([layers.Dense(5)(x), layers.Activation("sigmoid")(x)])


@network(16, 4)
def convolutions_over_time(x):
    x = layers.MaxPooling1D(2)(layers.Conv1D(6, 3, padding="same", activation="relu")(x))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(6, 3)(x)))
    x = layers.GlobalAveragePooling1D()(layers.DepthwiseConv1D(3)(x))
    return layers.Dense(3, activation="softmax")(x)


@network(16, 4)
def squeeze_and_excite_over_time(x):
    x = layers.Conv1D(8, 3)(x)
    s = layers.Reshape((1, 8))(layers.GlobalAveragePooling1D()(x))
    s = layers.Conv1D(8, 1, activation="sigmoid")(layers.Conv1D(4, 1, activation="relu")(s))
    return layers.Multiply()([x, s])


@network(16, 4)
def residual_over_time(x):
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(6, 3, padding="same")(x)))
    y = layers.BatchNormalization()(layers.Conv1D(6, 3, padding="same")(x))
    x = layers.ReLU()(layers.Add()([x, y]))
    y = layers.Conv1D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Add()([layers.Conv1D(8, 1, strides=2)(x), y])
    return layers.Dense(3)(layers.Flatten()(layers.AveragePooling1D(2)(x)))


@network(16, 4)
def causal_separable_and_upsampled_over_time(x):
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2)(x)
    x = layers.SeparableConv1D(6, 3, activation="relu")(x)
    x = layers.BatchNormalization()(layers.UpSampling1D(2)(x))
    x = layers.GlobalMaxPooling1D()(layers.ZeroPadding1D(1)(layers.Cropping1D(1)(x)))
    return layers.Dense(3)(x)


@network(16, 4)
def activations_over_time(x):
    x = layers.BatchNormalization()(layers.ReLU()(layers.Conv1D(6, 3)(x)))
    x = layers.LeakyReLU()(layers.Conv1D(6, 3)(x))
    return layers.Conv1D(6, 1, activation="sigmoid")(x)


@network(8, 8, 4)
def layer_called_twice(x):
    shared = _same(4)
    return shared(layers.ReLU()(shared(x)))


@network(8, 8, 4)
def batch_norm_called_twice(x):
    shared = layers.BatchNormalization()
    return shared(layers.MaxPooling2D(2)(shared(layers.ReLU()(_same(4)(x)))))


@network(4)
def units_of_one(x):
    x = layers.BatchNormalization()(layers.Dense(1, activation="relu")(layers.Dense(1)(x)))
    return layers.Dense(1, activation="sigmoid")(layers.Dense(4)(x))


def _crossing(x):
    """Chain two layers on each of two branches, their names interleaved."""
    left = _same(4, name="d")(_same(4, name="a")(x))
    right = _same(4, name="c")(_same(4, name="b")(x))
    return layers.Add(name="e")([left, right])


@network(8, 8, 4, name="anet")
def names_cross_and_the_model_stands_before_its_input(x):
    return _crossing(x)


@network(8, 8, 4, name="znet")
def names_cross_and_the_model_stands_after_its_input(x):
    return _crossing(x)


@network(8, 8, 4)
def names_with_numbers_capitals_and_dots(x):
    names = ("c9", "c10", "c1", "c1_1", "c1_b", "c1.b", "C2", "b")
    pooled = [layers.MaxPooling2D(2, name=f"{name}.p")(x) for name in names]
    return layers.Add()([_conv(4, name=name)(y) for name, y in zip(names, pooled, strict=True)])


@network(8, 8, 4, name="anet")
def a_branch_joins_before_another_starts(x):
    x = _same(4, name="n")(x)
    joined = layers.Multiply(name="y")([_conv(4, 1, name="a")(x), x])
    return layers.Concatenate(name="z")([joined, _conv(4, 1, name="b")(x)])
