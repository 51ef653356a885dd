"""Networks of other families, for which no recipe was made: small ones, sized for 8x8 images.

They train as the recipe of their task says, and nothing was chosen for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcuprune.recipes.models import BATCH_NORM_MOMENTUM, Shape3

# Hidden channels of an inverted residual block over its outputs (MobileNetV2, arXiv 1801.04381).
EXPANSION = 4


def perceptron(input_shape: Shape3, classes: int, widths: Sequence[int] = (128, 64)) -> Any:
    """Build dense layers alone."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs)
    for width in widths:
        x = keras.layers.Dense(width, activation="relu")(x)
    return _classifier(inputs, x, classes, "perceptron")


def over_rows(input_shape: Shape3, classes: int, widths: Sequence[int] = (48, 64, 64)) -> Any:
    """Build convolutions over one dimension: the image's rows are steps of time."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Reshape((input_shape[0], input_shape[1] * input_shape[2]))(inputs)
    for width in widths:
        x = _normed(keras.layers.Conv1D(width, 3, padding="same", use_bias=False)(x))
    return _classifier(inputs, keras.layers.GlobalAveragePooling1D()(x), classes, "over_rows")


def vgg(input_shape: Shape3, classes: int, widths: Sequence[int] = (32, 64, 96, 64)) -> Any:
    """Build pairs of 3x3 convolutions, each followed by pooling, and a dense layer (the last)."""
    import keras

    inputs = x = keras.Input(input_shape)
    for width in widths[:-1]:
        for _ in range(2):
            x = _normed(keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(x))
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(widths[-1], activation="relu")(keras.layers.Flatten()(x))
    return _classifier(inputs, x, classes, "vgg")


def mobilenet(
    input_shape: Shape3, classes: int, widths: Sequence[int] = (16, 32, 64, 64, 128)
) -> Any:
    """Build depthwise and 1x1 convolutions in turn; every second one halves the image."""
    import keras

    inputs = keras.Input(input_shape)
    x = _normed(keras.layers.Conv2D(widths[0], 3, padding="same", use_bias=False)(inputs))
    for index, width in enumerate(widths[1:]):
        x = _normed(_depthwise(stride=2 - index % 2)(x))
        x = _normed(keras.layers.Conv2D(width, 1, use_bias=False)(x))
    return _classifier(inputs, keras.layers.GlobalAveragePooling2D()(x), classes, "mobilenet")


def mobilenet_v2(
    input_shape: Shape3, classes: int, widths: Sequence[int] = (16, 16, 32, 48)
) -> Any:
    """Build stages of two inverted residual blocks; all stages but the first halve the image."""
    import keras

    inputs = keras.Input(input_shape)
    x = _normed(keras.layers.Conv2D(widths[0], 3, padding="same", use_bias=False)(inputs))
    for stage, width in enumerate(widths[1:]):
        for block in range(2):
            hidden = EXPANSION * width
            y = _normed(keras.layers.Conv2D(hidden, 1, use_bias=False)(x))
            y = _normed(_depthwise(stride=2 if stage and not block else 1)(y))
            y = keras.layers.Conv2D(width, 1, use_bias=False)(y)
            y = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(y)
            x = keras.layers.Add()([x, y]) if x.shape == y.shape else y
    return _classifier(inputs, keras.layers.GlobalAveragePooling2D()(x), classes, "mobilenet_v2")


def densenet(input_shape: Shape3, classes: int, widths: Sequence[int] = (24, 16, 32)) -> Any:
    """Build two dense blocks of three layers: stem, growth per layer and transition have widths."""
    import keras

    stem, growth, transition = widths
    inputs = keras.Input(input_shape)
    x = _normed(keras.layers.Conv2D(stem, 3, padding="same", use_bias=False)(inputs))
    for _ in range(2):
        for _ in range(3):
            y = _normed(keras.layers.Conv2D(growth, 3, padding="same", use_bias=False)(x))
            x = keras.layers.Concatenate()([x, y])
        x = _normed(keras.layers.Conv2D(transition, 1, use_bias=False)(x))
        x = keras.layers.MaxPooling2D()(x)
    return _classifier(inputs, keras.layers.GlobalAveragePooling2D()(x), classes, "densenet")


def _depthwise(stride: int) -> Any:
    import keras

    return keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)


def _normed(x: Any) -> Any:
    import keras

    x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
    return keras.layers.ReLU()(x)


def _classifier(inputs: Any, features: Any, classes: int, name: str) -> Any:
    import keras

    return keras.Model(inputs, keras.layers.Dense(classes)(features), name=name)


OTHER_NETWORKS: Mapping[str, Callable[..., Any]] = {
    "perceptron": perceptron,
    "over-rows": over_rows,
    "vgg": vgg,
    "mobilenet": mobilenet,
    "mobilenet-v2": mobilenet_v2,
    "densenet": densenet,
}
