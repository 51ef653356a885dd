"""Networks over time: what 1-D layers become, with dilation, causal padding, strides."""

from __future__ import annotations

from keras import layers
from small_networks import network


@network(32, 4)
def temporal_convolutional_network(x):
    for dilation in (1, 2, 4):
        y = layers.Conv1D(6, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
        y = layers.Conv1D(6, 3, padding="causal", dilation_rate=dilation)(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        x = layers.ReLU()(layers.Add()([layers.Conv1D(6, 1)(x), y]))
    return layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))


@network(32, 4)
def dilated_over_time(x):
    x = layers.Conv1D(6, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = layers.Conv1D(6, 3, dilation_rate=4)(x)
    return layers.DepthwiseConv1D(3, padding="same", dilation_rate=2)(x)


@network(32, 4)
def accelerometer_network(x):
    x = layers.Conv1D(8, 5, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for width in (12, 16):
        x = layers.DepthwiseConv1D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv1D(width, 1, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling1D(2)(x)
    x = layers.SeparableConv1D(16, 3, padding="same", activation="relu")(x)
    return layers.Dense(3)(layers.Dropout(0.2)(layers.GlobalMaxPooling1D()(x)))


@network(32, 4)
def strided_over_time(x):
    x = layers.DepthwiseConv1D(3, strides=2, depth_multiplier=2, activation="relu")(x)
    x = layers.SeparableConv1D(6, 3, strides=2, padding="same")(x)
    return layers.AveragePooling1D(3, strides=1, padding="same")(x)


@network(32, 4)
def grouped_over_time(x):
    return layers.Conv1D(8, 3, groups=2, activation="relu")(x)


@network(32, 4)
def pooled_over_time_and_kept(x):
    x = layers.GlobalAveragePooling1D(keepdims=True)(layers.Conv1D(6, 3)(x))
    return layers.Flatten()(layers.Conv1D(3, 1)(x))


@network(32, 4)
def flattened_over_time(x):
    x = layers.Flatten()(layers.MaxPooling1D(4)(layers.Conv1D(6, 3, activation="relu")(x)))
    return layers.Dense(3)(layers.Dense(8, activation="relu")(x))


@network(32, 4)
def layer_norm_over_time(x):
    return layers.Dense(3)(layers.LayerNormalization()(layers.Conv1D(6, 3)(x)))


@network(33, 3)
def odd_lengths_over_time(x):
    x = layers.Conv1D(5, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.ZeroPadding1D((0, 1))(x)
    return layers.Conv1D(5, 4, strides=3)(x)


@network(32, 4)
def concatenated_over_time(x):
    left = layers.Conv1D(3, 3, padding="same", activation="relu")(x)
    right = layers.Conv1D(3, 5, padding="same", activation="relu")(x)
    return layers.Conv1D(2, 1)(layers.Concatenate()([left, right]))


@network(32, 4)
def leaky_and_batch_norm_over_time(x):
    x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(layers.Conv1D(6, 3)(x)))
    x = layers.BatchNormalization()(layers.MaxPooling1D(2)(x))
    return layers.Activation("sigmoid")(layers.Conv1D(1, 1)(x))


@network(32, 4)
def one_filter_over_time(x):
    x = layers.Conv1D(1, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    x = layers.Conv1D(1, 3, padding="same", strides=2)(x)
    return layers.Dense(3)(layers.Conv1D(1, 3, dilation_rate=3)(layers.MaxPooling1D(2)(x)))


@network(32, 4)
def residual_of_one_filter(x):
    x = layers.Conv1D(1, 1)(x)
    return layers.Dense(3)(layers.Flatten()(layers.Add()([x, layers.Conv1D(1, 1)(x)])))


@network(16, 4)
def autoencoder_over_time(x):
    x = layers.Conv1D(6, 5, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv1DTranspose(6, 5, strides=2, padding="same", activation="relu")(x)
    return layers.Conv1DTranspose(1, 5, padding="same")(x)


@network(12, 3)
def upsampled_over_time(x):
    x = layers.Conv1DTranspose(5, 3, strides=2, output_padding=1, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.Conv1DTranspose(4, 4, strides=3)(x)
