"""Rules of the convolutions: plain, depthwise, separable, transposed; 1-D runs as a flat image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcuprune.ir.draft import Operand, Shape, Value, integers
from mcuprune.ir.keras_activations import activate
from mcuprune.ir.keras_step import Step, image_shape, rule


@rule("Conv2D")
def convolution(step: Step) -> Value:
    """CONV_2D with a bias, zeros if the layer has none."""
    step.require_channels_last()
    layer = step.layer
    weights = step.weights("kernel", _conv_shape(step, layer.kernel_size))
    attributes = step.window(layer.strides, layer.padding, layer.dilation_rate)
    bias = step.bias(step.shape[-1], layer.use_bias)
    output = step.emit("CONV_2D", [step.input, weights, bias], step.shape, **attributes)
    return activate(step, output, layer.activation)


def _conv_shape(step: Step, kernel_size: Sequence[int]) -> Shape:
    grouped = step.layer.groups > 1
    channels = step.weight_dim("kernel", -2) if grouped else step.input.shape[-1]
    return (step.shape[-1], *kernel_size, channels)


@rule("DepthwiseConv2D")
def depthwise(step: Step) -> Value:
    """DEPTHWISE_CONV_2D with a bias."""
    step.require_channels_last()
    layer = step.layer
    output = _depthwise(
        step,
        step.input,
        step.shape,
        layer.kernel_size,
        step.window(layer.strides, layer.padding, layer.dilation_rate),
        uses_bias=layer.use_bias,
    )
    return activate(step, output, layer.activation)


def _depthwise(
    step: Step,
    source: Value,
    shape: Shape,
    kernel_size: Sequence[int],
    attributes: dict[str, Any],
    uses_bias: bool,
) -> Value:
    weights = step.weights("depthwise_kernel", (1, *kernel_size, shape[-1]))
    bias = step.bias(shape[-1], uses_bias, "depthwise_bias")
    return step.emit(
        "DEPTHWISE_CONV_2D",
        [source, weights, bias],
        shape,
        **attributes,
        depth_multiplier=step.layer.depth_multiplier,
    )


@rule("SeparableConv2D")
def separable(step: Step) -> Value:
    """DEPTHWISE_CONV_2D with a bias of zeros, then CONV_2D 1x1."""
    step.require_channels_last()
    layer = step.layer
    spread = (*step.shape[:-1], step.input.shape[-1] * layer.depth_multiplier)
    window = step.window(layer.strides, layer.padding, layer.dilation_rate)
    middle = _depthwise(step, step.input, spread, layer.kernel_size, window, uses_bias=False)
    return activate(step, _pointwise(step, middle, step.shape), layer.activation)


def _pointwise(step: Step, source: Value, shape: Shape) -> Value:
    weights = step.weights("pointwise_kernel", (shape[-1], 1, 1, source.shape[-1]))
    bias = step.bias(shape[-1], step.layer.use_bias)
    window = step.window((1, 1), "valid", (1, 1))
    return step.emit("CONV_2D", [source, weights, bias], shape, **window)


@rule("Conv2DTranspose")
def transposed_convolution(step: Step) -> Value:
    """TRANSPOSE_CONV; its first input is the output's shape."""
    step.require_channels_last()
    layer = step.layer
    output = _transposed(step, step.input, step.shape, layer.kernel_size, layer.strides)
    return activate(step, output, layer.activation)


def _transposed(
    step: Step,
    source: Value,
    shape: Shape,
    kernel_size: tuple[int, ...],
    strides: tuple[int, int],
) -> Value:
    layer = step.layer
    if any(rate != 1 for rate in layer.dilation_rate):
        raise step.unsupported("TRANSPOSE_CONV knows no dilation: use dilation_rate=1")
    weights = step.weights("kernel", (shape[-1], *kernel_size, source.shape[-1]))
    window = step.window(strides, layer.padding)
    inputs: list[Operand] = [integers("shape", shape), weights, source]
    inputs += [step.bias(shape[-1], True)] if layer.use_bias else []
    return step.emit("TRANSPOSE_CONV", inputs, shape, **window)


@rule("Conv1D")
def convolution_1d(step: Step) -> Value:
    """CONV_2D over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    source, padding = _causal(step)
    wide, shape = step.reshape(source, image_shape(source.shape)), image_shape(step.shape)
    weights = step.weights("kernel", _conv_shape(step, (1, *layer.kernel_size)))
    window = step.window((1, *layer.strides), padding, (1, *layer.dilation_rate))
    bias = step.bias(shape[-1], layer.use_bias)
    output = step.emit("CONV_2D", [wide, weights, bias], shape, **window)
    return activate(step, step.reshape(output, step.shape), layer.activation)


@rule("Conv1DTranspose")
def transposed_convolution_1d(step: Step) -> Value:
    """TRANSPOSE_CONV over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    wide, shape = step.reshape(step.input, image_shape(step.input.shape)), image_shape(step.shape)
    output = _transposed(step, wide, shape, (1, *layer.kernel_size), (1, *layer.strides))
    return activate(step, step.reshape(output, step.shape), layer.activation)


def _causal(step: Step) -> tuple[Value, str]:
    layer = step.layer
    if layer.padding != "causal":
        return step.input, layer.padding
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return step.pad(step.input, [(before, 0)]), "valid"


@rule("DepthwiseConv1D")
def depthwise_1d(step: Step) -> Value:
    """DEPTHWISE_CONV_2D over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    # TensorFlow's depthwise kernel wants equal strides; Keras passes the stride for both axes.
    window = step.window((*layer.strides, *layer.strides), layer.padding, (1, *layer.dilation_rate))
    output = _depthwise(
        step,
        step.reshape(step.input, image_shape(step.input.shape)),
        image_shape(step.shape),
        (1, *layer.kernel_size),
        window,
        uses_bias=layer.use_bias,
    )
    return activate(step, step.reshape(output, step.shape), layer.activation)


@rule("SeparableConv1D")
def separable_1d(step: Step) -> Value:
    """DEPTHWISE_CONV_2D and CONV_2D over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    shape = image_shape(step.shape)
    source, padding = _causal(step)
    spread = (*shape[:-1], source.shape[-1] * layer.depth_multiplier)
    window = step.window((*layer.strides, *layer.strides), padding, (1, *layer.dilation_rate))
    wide = step.reshape(source, image_shape(source.shape))
    middle = _depthwise(step, wide, spread, (1, *layer.kernel_size), window, uses_bias=False)
    output = _pointwise(step, middle, shape)
    return activate(step, step.reshape(output, step.shape), layer.activation)
