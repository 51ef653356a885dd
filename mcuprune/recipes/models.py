"""Reference networks as plain Keras 3 functional models.

ResNet-8, DS-CNN, MobileNetV1-0.25 and the autoencoder have the layers of the MLPerf Tiny
reference models (github.com/mlcommons/tiny, benchmark/training), without their weight decay.
Batch norm runs with momentum 0.9: Keras's default 0.99 leaves the moving statistics useless
after the few steps per epoch of small data sets.

Every builder returns an untrained, uncompiled ``keras.Model``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcuprune.suggest import unknown_name

BATCH_NORM_MOMENTUM = 0.9

Shape3 = tuple[int, int, int]


def digits_cnn(
    input_shape: Shape3 = (8, 8, 1),
    classes: int = 10,
    widths: Sequence[int] = (16, 32, 64),
    activation: str | None = None,
) -> Any:
    """Build the small CNN of the digits recipe: 3x3 convolutions, pooling after the first two.

    Args:
        input_shape: Height, width, channels.
        classes: Number of outputs.
        widths: Channels of each convolution.
        activation: Of the outputs; None leaves logits, whose largest is the same class.
    """
    import keras

    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, width in enumerate(widths, start=1):
        x = _conv_bn_relu(x, width, 3, name=f"conv{index}", use_bias=False)
        if index <= 2:
            x = keras.layers.MaxPooling2D(2, name=f"pool{index}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, _classifier(x, classes, activation), name="digits_cnn")


def resnet8(
    input_shape: Shape3 = (32, 32, 3),
    classes: int = 10,
    widths: Sequence[int] = (16, 32, 64),
    activation: str | None = "softmax",
) -> Any:
    """Build MLPerf Tiny's ResNet-8 for image classification.

    Args:
        input_shape: Height, width, channels.
        classes: Number of outputs.
        widths: Channels of each residual stack; every stack after the first halves the image.
        activation: Of the outputs; None leaves logits, whose largest is the same class.
    """
    import keras

    inputs = keras.Input(input_shape, name="image")
    x = _conv_bn_relu(inputs, widths[0], 3, name="stem")
    for index, width in enumerate(widths, start=1):
        x = _residual_stack(x, width, stride=1 if index == 1 else 2, name=f"stack{index}")
    x = keras.layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, _classifier(x, classes, activation), name="resnet8")


def dscnn(
    input_shape: Shape3 = (49, 10, 1),
    classes: int = 12,
    widths: Sequence[int] = (64, 64, 64, 64, 64),
    input_dropout: float = 0.2,
    output_dropout: float = 0.4,
    activation: str | None = "softmax",
) -> Any:
    """Build MLPerf Tiny's DS-CNN for keyword spotting.

    Args:
        input_shape: Frames, coefficients, channels.
        classes: Number of outputs.
        widths: Channels of the first convolution, then of each depthwise-separable block.
        input_dropout: Dropout rate after the first convolution.
        output_dropout: Dropout rate before the pooling.
        activation: Of the outputs; None leaves logits, whose largest is the same class.
    """
    import keras

    first, *blocks = widths
    inputs = keras.Input(input_shape, name="mfcc")
    x = _conv_bn_relu(inputs, first, (10, 4), stride=2, name="stem")
    x = keras.layers.Dropout(input_dropout, name="input_dropout")(x)
    for index, width in enumerate(blocks, start=1):
        x = _separable(x, width, name=f"block{index}")
    x = keras.layers.Dropout(output_dropout, name="output_dropout")(x)
    # The reference pools half the input's extent: of 25 frames it averages 24.
    pool = (input_shape[0] // 2, input_shape[1] // 2)
    x = keras.layers.AveragePooling2D(pool, name="average")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, _classifier(x, classes, activation), name="dscnn")


# (factor on the first width, stride) of MobileNetV1's thirteen separable blocks.
_MOBILENET_BLOCKS = (
    (2, 1),
    (4, 2),
    (4, 1),
    (8, 2),
    (8, 1),
    (16, 2),
    *[(16, 1)] * 5,
    (32, 2),
    (32, 1),
)


def mobilenet_v1_025(
    input_shape: Shape3 = (96, 96, 3),
    classes: int = 2,
    first_width: int = 8,
    activation: str | None = "softmax",
) -> Any:
    """Build MLPerf Tiny's MobileNetV1 with width multiplier 0.25 for visual wake words.

    Args:
        input_shape: Height, width, channels.
        classes: Number of outputs.
        first_width: Channels of the first convolution (8 is a multiplier of 0.25).
        activation: Of the outputs; None leaves logits, whose largest is the same class.
    """
    import keras

    inputs = keras.Input(input_shape, name="image")
    x = _conv_bn_relu(inputs, first_width, 3, stride=2, name="stem")
    for index, (factor, stride) in enumerate(_MOBILENET_BLOCKS, start=1):
        x = _separable(x, first_width * factor, stride=stride, name=f"block{index}")
    x = keras.layers.AveragePooling2D(tuple(x.shape[1:3]), name="average")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, _classifier(x, classes, activation), name="mobilenet_v1_025")


def fc_autoencoder(
    inputs: int = 640, widths: Sequence[int] = (128, 128, 128, 128, 8, 128, 128, 128, 128)
) -> Any:
    """Build MLPerf Tiny's fully connected autoencoder for anomaly detection.

    Args:
        inputs: Features of the input and of the reconstruction.
        widths: Units of each hidden layer.
    """
    import keras

    features = keras.Input((inputs,), name="features")
    x = features
    for index, width in enumerate(widths, start=1):
        x = keras.layers.Dense(width, name=f"dense{index}")(x)
        x = _bn_relu(x, name=f"dense{index}")
    outputs = keras.layers.Dense(inputs, name="reconstruction")(x)
    return keras.Model(features, outputs, name="fc_autoencoder")


# Classifiers that a recipe can name; each takes input_shape and classes.
BUILDERS: dict[str, Callable[..., Any]] = {
    "digits_cnn": digits_cnn,
    "resnet8": resnet8,
    "dscnn": dscnn,
    "mobilenet_v1_025": mobilenet_v1_025,
}


def builder(name: str) -> Callable[..., Any]:
    """Return the builder called ``name``.

    Raises:
        UnknownNameError: No such model; names the nearest.
    """
    if name not in BUILDERS:
        raise unknown_name("model", name, BUILDERS)
    return BUILDERS[name]


def _classifier(x: Any, classes: int, activation: str | None) -> Any:
    import keras

    return keras.layers.Dense(classes, activation=activation, name="classes")(x)


def _bn_relu(x: Any, name: str) -> Any:
    import keras

    x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _conv(
    x: Any,
    width: int,
    kernel: int | tuple[int, int],
    *,
    name: str,
    stride: int = 1,
    use_bias: bool = True,
) -> Any:
    import keras

    return keras.layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _conv_bn_relu(
    x: Any,
    width: int,
    kernel: int | tuple[int, int],
    *,
    name: str,
    stride: int = 1,
    use_bias: bool = True,
) -> Any:
    x = _conv(x, width, kernel, name=name, stride=stride, use_bias=use_bias)
    return _bn_relu(x, name)


def _separable(x: Any, width: int, *, name: str, stride: int = 1) -> Any:
    import keras

    depthwise = keras.layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same",
        depthwise_initializer="he_normal",
        name=f"{name}_depthwise",
    )
    x = _bn_relu(depthwise(x), f"{name}_depthwise")
    return _conv_bn_relu(x, width, 1, name=f"{name}_pointwise")


def _residual_stack(x: Any, width: int, *, stride: int, name: str) -> Any:
    import keras

    y = _conv_bn_relu(x, width, 3, stride=stride, name=f"{name}_conv1")
    y = _conv(y, width, 3, name=f"{name}_conv2")
    y = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_conv2_bn")(y)
    if stride != 1:
        x = _conv(x, width, 1, stride=stride, name=f"{name}_shortcut")
    x = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.ReLU(name=f"{name}_relu")(x)
