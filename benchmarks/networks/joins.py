"""Networks whose channels meet, part, or change places: skips, splits, groups, several ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import Input, Model, layers


def _conv(x: Any, filters: int, kernel: int = 3, strides: int = 1) -> Any:
    return layers.Conv2D(filters, kernel, strides=strides, padding="same", activation="relu")(x)


def u_net() -> Any:
    """Two levels down and up, skip concatenations, transposed convolutions and an upsampling."""
    inputs = Input((16, 16, 3))
    first = _conv(_conv(inputs, 8), 10)
    second = _conv(layers.MaxPooling2D(2)(first), 12)
    second = layers.BatchNormalization()(second)
    x = _conv(layers.MaxPooling2D(2)(second), 16)
    x = layers.Conv2DTranspose(11, 2, strides=2, padding="same", activation="relu")(x)
    x = _conv(layers.Concatenate()([x, second]), 12)
    x = layers.Conv2D(9, 3, padding="same")(layers.UpSampling2D(2)(x))
    x = layers.LeakyReLU(0.1)(layers.Concatenate()([first, x]))
    x = layers.Conv2DTranspose(6, 3, padding="same", activation="relu")(x)
    return Model(inputs, layers.Conv2D(2, 1)(x), name="u_net")


def two_inputs() -> Any:
    """An image and a vector of features that meet in one dense layer."""
    image, features = Input((12, 12, 3), name="image"), Input((7,), name="features")
    x = layers.Flatten()(layers.AveragePooling2D(4)(_conv(image, 10)))
    y = layers.Dense(9, activation="tanh")(features)
    x = layers.Dense(14, activation="relu")(layers.Concatenate()([x, y]))
    return Model([image, features], layers.Dense(4)(x), name="two_inputs")


def two_outputs() -> Any:
    """A detector's two heads on one backbone; the feature map itself is read by both."""
    inputs = Input((16, 16, 3))
    x = _conv(_conv(inputs, 10, strides=2), 14, strides=2)
    boxes = layers.Conv2D(4, 1, name="boxes")(_conv(x, 9))
    classes = layers.Dense(5, name="classes")(layers.GlobalAveragePooling2D()(x))
    return Model(inputs, [boxes, classes], name="two_outputs")


def siamese() -> Any:
    """One nested encoder, called for two images; the distance of the embeddings is judged."""
    encoder_input = Input((16, 16, 1))
    x = _conv(_conv(encoder_input, 8, strides=2), 12, strides=2)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    encoder = Model(encoder_input, layers.Dense(10, name="embedding")(x), name="encoder")
    left, right = Input((16, 16, 1), name="left"), Input((16, 16, 1), name="right")
    distance = layers.Subtract()([encoder(left), encoder(right)])
    x = layers.Dense(8, activation="relu")(distance)
    return Model([left, right], layers.Dense(1)(x), name="siamese")


def nested_backbone() -> Any:
    """A Sequential stem and a functional backbone inside a functional model, as in transfer."""
    stem = keras.Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3, strides=2, padding="same")])
    stem.add(layers.BatchNormalization())
    stem.add(layers.ReLU())
    features = Input((8, 8, 8))
    x = _conv(features, 12)
    x = layers.Add()([_conv(x, 12), x])
    backbone = Model(features, x, name="backbone")
    inputs = Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(backbone(stem(inputs)))
    return Model(inputs, layers.Dense(4)(x), name="nested_backbone")


def resnext_like() -> Any:
    """Grouped convolutions inside a residual block, and one that changes the width."""
    inputs = Input((12, 12, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(inputs)))
    y = _conv(x, 24, kernel=1)
    y = layers.Conv2D(24, 3, padding="same", groups=4, use_bias=False)(y)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    x = layers.Add()([x, layers.Conv2D(16, 1)(y)])
    x = layers.Conv2D(32, 3, strides=2, padding="same", groups=8, activation="relu")(x)
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)), name="resnext_like")


def concat_cascade() -> Any:
    """Concatenations of concatenations, of a tensor with itself, and their sum with a branch."""
    inputs = Input((8, 8, 3))
    a, b = _conv(inputs, 5), _conv(inputs, 7)
    cascade = layers.Concatenate()([b, layers.Concatenate()([a, b]), a])
    x = layers.BatchNormalization()(cascade)
    doubled = layers.Concatenate()([a, a])
    x = layers.Add()([_conv(x, 10), doubled])
    x = layers.Concatenate()([x, _conv(x, 6), doubled])
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu")(x)
    x = layers.Dense(8, activation="relu")(layers.Flatten()(layers.MaxPooling2D(4)(x)))
    return Model(inputs, layers.Dense(4)(x), name="concat_cascade")


def channel_splits() -> Any:
    """A ShuffleNet-like split into halves, uneven splits, and slices of channels."""
    inputs = Input((8, 8, 3))
    x = _conv(inputs, 12)
    left, right = keras.ops.split(x, 2, axis=-1)
    x = layers.Concatenate()([left, _conv(right, 6)])
    head, middle, tail = keras.ops.split(x, [3, 8], axis=-1)
    x = layers.Concatenate()([tail, _conv(middle, 4), head])
    x = layers.Add()([x[..., :5], x[..., 6:]])
    x = _conv(x, 9)
    return Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)), name="channel_splits")


JOINS: dict[str, Callable[[], Any]] = {
    "U-Net": u_net,
    "two inputs": two_inputs,
    "two outputs": two_outputs,
    "siamese": siamese,
    "nested backbone": nested_backbone,
    "ResNeXt-like": resnext_like,
    "concat cascade": concat_cascade,
    "channel splits": channel_splits,
}
