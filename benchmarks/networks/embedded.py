"""Networks as people build them for microcontrollers: images, spectrograms, sensor windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import Input, Model, layers

from mcuprune.recipes import models

BATCH_NORM_MOMENTUM = 0.9


def _bn(x: Any) -> Any:
    return layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)


def _conv_bn_relu6(x: Any, filters: int, kernel: int, strides: int = 1) -> Any:
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU(6.0)(_bn(x))


def _inverted_residual(x: Any, filters: int, kernel: int, expansion: int, strides: int) -> Any:
    y = _conv_bn_relu6(x, x.shape[-1] * expansion, 1)
    y = layers.DepthwiseConv2D(kernel, strides=strides, padding="same", use_bias=False)(y)
    y = layers.ReLU(6.0)(_bn(y))
    y = _bn(layers.Conv2D(filters, 1, use_bias=False)(y))
    if strides == 1 and x.shape[-1] == filters:
        y = layers.Add()([x, y])
    return y


# Filters, kernel, expansion, stride of each block, mixed as neural architecture search mixes them.
_MCUNET_BLOCKS = (
    (8, 3, 1, 1),
    (16, 7, 3, 2),
    (16, 3, 6, 1),
    (16, 5, 4, 1),
    (24, 7, 6, 2),
    (24, 5, 4, 1),
    (40, 7, 3, 2),
    (40, 3, 6, 1),
)


def mcunet_like() -> Any:
    """Inverted residuals with kernels of 3, 5 and 7 and expansions of 1, 3, 4 and 6."""
    inputs = Input((48, 48, 3))
    x = _conv_bn_relu6(inputs, 16, 3, strides=2)
    for filters, kernel, expansion, strides in _MCUNET_BLOCKS:
        x = _inverted_residual(x, filters, kernel, expansion, strides)
    x = layers.GlobalAveragePooling2D()(_conv_bn_relu6(x, 64, 1))
    return Model(inputs, layers.Dense(10)(x), name="mcunet_like")


def squeeze_and_excite() -> Any:
    """One block gated through 1x1 convolutions, one through dense layers and a reshape."""
    inputs = Input((16, 16, 3))
    x = _conv_bn_relu6(inputs, 12, 3)
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(4, 1, activation="relu")(s)
    s = layers.Conv2D(12, 1, activation="hard_sigmoid")(s)
    x = _conv_bn_relu6(layers.Multiply()([x, s]), 16, 3, strides=2)
    s = layers.GlobalAveragePooling2D()(x)
    s = layers.Dense(16, activation="sigmoid")(layers.Dense(5, activation="relu")(s))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 16))(s)])
    x = layers.GlobalMaxPooling2D()(_conv_bn_relu6(x, 20, 3, strides=2))
    return Model(inputs, layers.Dense(10)(x), name="squeeze_and_excite")


def accelerometer_cnn() -> Any:
    """A 1-D CNN for windows of 64 samples of three axes."""
    inputs = Input((64, 3))
    x = layers.ZeroPadding1D(2)(inputs)
    x = layers.ReLU()(_bn(layers.Conv1D(12, 5, strides=2)(x)))
    x = layers.DepthwiseConv1D(3, depth_multiplier=2, padding="same", activation="relu")(x)
    x = layers.MaxPooling1D(2)(x)
    x = layers.ReLU()(_bn(layers.SeparableConv1D(20, 3, padding="same", depth_multiplier=2)(x)))
    x = layers.SpatialDropout1D(0.1)(x)
    x = layers.Cropping1D(1)(layers.Conv1D(16, 3, padding="same", activation="elu")(x))
    x = layers.AveragePooling1D(2)(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.Dense(24, activation="relu")(x)
    return Model(inputs, layers.Dense(6)(x), name="accelerometer_cnn")


def tcn() -> Any:
    """A temporal convolutional network: causal convolutions, dilation doubling, residuals."""
    inputs = Input((48, 4))
    x = layers.Conv1D(16, 1)(inputs)
    for dilation in (1, 2, 4):
        y = layers.Conv1D(12, 3, padding="causal", dilation_rate=dilation)(x)
        y = layers.ReLU()(_bn(y))
        y = layers.Conv1D(16, 3, padding="causal", dilation_rate=dilation)(y)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling1D()(x)
    return Model(inputs, layers.Dense(5)(x), name="tcn")


EMBEDDED: dict[str, Callable[[], Any]] = {
    "ResNet-8": lambda: models.resnet8(activation=None),
    "DS-CNN": lambda: models.dscnn(activation=None),
    "MobileNetV1-0.25": lambda: models.mobilenet_v1_025((96, 96, 3), activation=None),
    "autoencoder": models.fc_autoencoder,
    "MCUNet-like": mcunet_like,
    "squeeze-and-excite": squeeze_and_excite,
    "accelerometer CNN": accelerometer_cnn,
    "TCN": tcn,
}
