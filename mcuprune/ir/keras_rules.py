"""One small rule per Keras layer type: the operators that TensorFlow runs for it, unfused.

A rule reads its layer through a :class:`Step`, emits operators and returns the layer's output.
What the converter folds afterwards (batch norm, activations, paddings, reshapes) is left to
:mod:`mcuprune.ir.keras_folding`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcuprune.ir.draft import Shape, Value, integers
from mcuprune.ir.graph import Extent
from mcuprune.ir.keras_activations import activate, relu_layer
from mcuprune.ir.keras_step import Step

Rule = Callable[[Step], Value]

RULES: dict[str, Rule] = {}


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Register a rule for layer classes by name."""

    def register(function: Rule) -> Rule:
        for kind in kinds:
            RULES[kind] = function
        return function

    return register


@rule(
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "Identity", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip
def training_only(step: Step) -> Value:
    """Pass the input on: the layer does nothing at inference."""
    if step.shape != step.input.shape:
        raise step.unsupported("it changes the shape of its input at inference")
    return step.input


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
    channels = step.input.shape[-1]
    groups = step.layer.groups
    if groups > 1:
        if not isinstance(channels, int):
            raise step.unsupported("its groups fix the number of input channels: do not prune it")
        channels //= groups
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
    attributes: dict[str, object],
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
    if tuple(layer.dilation_rate) != (1, 1):
        raise step.unsupported("TRANSPOSE_CONV knows no dilation: use dilation_rate=1")
    weights = step.weights("kernel", (step.shape[-1], *layer.kernel_size, step.input.shape[-1]))
    window = step.window(layer.strides, layer.padding)
    inputs = [integers(step.shape), weights, step.input]
    inputs += [step.bias(step.shape[-1], True)] if layer.use_bias else []
    output = step.emit("TRANSPOSE_CONV", inputs, step.shape, **window)
    return activate(step, output, layer.activation)


@rule("Conv1D")
def convolution_1d(step: Step) -> Value:
    """CONV_2D over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    source, padding = _causal(step)
    wide, shape = _as_image(step, source), _image_shape(step.shape)
    weights = step.weights("kernel", _conv_shape(step, (1, *layer.kernel_size)))
    window = step.window((1, *layer.strides), padding, (1, *layer.dilation_rate))
    bias = step.bias(shape[-1], layer.use_bias)
    output = step.emit("CONV_2D", [wide, weights, bias], shape, **window)
    return activate(step, _reshape(step, output, step.shape), layer.activation)


def _causal(step: Step) -> tuple[Value, str]:
    layer = step.layer
    if layer.padding != "causal":
        return step.input, layer.padding
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return _pad(step, step.input, [(before, 0)]), "valid"


@rule("DepthwiseConv1D")
def depthwise_1d(step: Step) -> Value:
    """DEPTHWISE_CONV_2D over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    # TensorFlow's depthwise kernel wants equal strides; Keras passes the stride for both axes.
    window = step.window((*layer.strides, *layer.strides), layer.padding, (1, *layer.dilation_rate))
    output = _depthwise(
        step,
        _as_image(step, step.input),
        _image_shape(step.shape),
        (1, *layer.kernel_size),
        window,
        uses_bias=layer.use_bias,
    )
    return activate(step, _reshape(step, output, step.shape), layer.activation)


@rule("SeparableConv1D")
def separable_1d(step: Step) -> Value:
    """The two operators of a separable convolution over an image of height 1."""
    step.require_channels_last()
    layer = step.layer
    shape = _image_shape(step.shape)
    source, padding = _causal(step)
    spread = (*shape[:-1], source.shape[-1] * layer.depth_multiplier)
    window = step.window((*layer.strides, *layer.strides), padding, (1, *layer.dilation_rate))
    wide = _as_image(step, source)
    middle = _depthwise(step, wide, spread, (1, *layer.kernel_size), window, uses_bias=False)
    output = _pointwise(step, middle, shape)
    return activate(step, _reshape(step, output, step.shape), layer.activation)


def _image_shape(shape: Shape) -> Shape:
    return (shape[0], 1, *shape[1:])


def _as_image(step: Step, value: Value) -> Value:
    return _reshape(step, value, _image_shape(value.shape))


def _reshape(step: Step, value: Value, shape: Shape) -> Value:
    if shape == value.shape:
        return value
    return step.emit("RESHAPE", [value, integers(shape)], shape)


@rule("Dense")
def dense(step: Step) -> Value:
    """FULLY_CONNECTED over the last axis; without a bias the input is absent."""
    weights = step.weights("kernel", (step.shape[-1], step.input.shape[-1]))
    bias = step.bias(step.shape[-1], True) if step.layer.use_bias else None
    output = step.emit(
        "FULLY_CONNECTED",
        [step.input, weights, bias],
        step.shape,
        fused_activation="NONE",
        keep_num_dims=len(step.shape) > 2,
    )
    return activate(step, output, step.layer.activation)


@rule("BatchNormalization")
def batch_normalization(step: Step) -> Value:
    """MUL and ADD of one constant per channel."""
    rank = len(step.shape)
    if step.layer.axis not in (-1, rank - 1):
        raise step.unsupported(f"it normalises axis {step.layer.axis}: use the last axis")
    channels = (step.shape[-1],)
    scaled = step.arithmetic("MUL", step.input, step.per_tensor("scale", channels))
    return step.arithmetic("ADD", scaled, step.per_tensor("offset", channels))


@rule("Rescaling")
def rescaling(step: Step) -> Value:
    """MUL by the scale and ADD of the offset, each left out where it changes nothing."""
    value = step.input
    if isinstance(step.layer.scale, Sequence) or isinstance(step.layer.offset, Sequence):
        raise step.unsupported("it scales each channel by its own factor: use one number for all")
    if step.layer.scale != 1:
        value = step.arithmetic("MUL", value, step.per_tensor("scale", ()))
    if step.layer.offset != 0:
        value = step.arithmetic("ADD", value, step.per_tensor("offset", ()))
    return value


@rule("ReLU", "LeakyReLU")
def relu(step: Step) -> Value:
    """RELU, RELU6 or LEAKY_RELU."""
    return relu_layer(step)


@rule("Activation")
def activation(step: Step) -> Value:
    """The operator of the activation function."""
    return activate(step, step.input, step.layer.activation)


@rule("Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "HardSilu", "HardSigmoid")
def activation_function(step: Step) -> Value:
    """An activation called as ``keras.ops.relu(x)`` and the like."""
    import keras

    names = {"HardSilu": "hard_silu", "HardSigmoid": "hard_sigmoid"}
    name = names.get(step.call.kind, step.call.kind.lower())
    return activate(step, step.input, getattr(keras.activations, name))


@rule("Softmax")
def softmax(step: Step) -> Value:
    """SOFTMAX over the last axis."""
    if step.layer.axis not in (-1, len(step.shape) - 1):
        raise step.unsupported(f"it runs over axis {step.layer.axis}: use the last axis")
    return step.emit("SOFTMAX", [step.input], step.shape, beta=1.0)


@rule("PReLU")
def prelu(step: Step) -> Value:
    """PRELU with a slope per channel, or per element."""
    shared = set(step.layer.shared_axes or ())
    slopes = tuple(1 if axis in shared else dim for axis, dim in enumerate(step.shape) if axis)
    return step.emit("PRELU", [step.input, step.per_tensor("alpha", slopes)], step.shape)


_POOLS = {"Average": "AVERAGE_POOL_2D", "Max": "MAX_POOL_2D"}
_REDUCERS = {"Average": "MEAN", "Max": "REDUCE_MAX"}


def _variant(step: Step, kinds: dict[str, str]) -> str:
    return next(kind for word, kind in kinds.items() if word in step.call.kind)


@rule("AveragePooling2D", "MaxPooling2D")
def pooling(step: Step) -> Value:
    """AVERAGE_POOL_2D or MAX_POOL_2D."""
    step.require_channels_last()
    layer = step.layer
    return _pool(step, step.input, step.shape, layer.pool_size, layer.strides)


@rule("AveragePooling1D", "MaxPooling1D")
def pooling_1d(step: Step) -> Value:
    """Pooling over an image of height 1, between reshapes."""
    step.require_channels_last()
    layer = step.layer
    pool, stride = (1, *layer.pool_size), (1, *layer.strides)
    wide = _as_image(step, step.input)
    output = _pool(step, wide, _image_shape(step.shape), pool, stride)
    return _reshape(step, output, step.shape)


def _pool(
    step: Step, source: Value, shape: Shape, size: Sequence[int], strides: Sequence[int]
) -> Value:
    window = step.window(strides, step.layer.padding)
    return step.emit(
        _variant(step, _POOLS), [source], shape, **window, filter_h=size[0], filter_w=size[1]
    )


@rule(
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"
)
def global_pooling(step: Step) -> Value:
    """MEAN or REDUCE_MAX over the spatial axes; a single axis is stored as a scalar."""
    step.require_channels_last()
    axes = tuple(range(1, len(step.input.shape) - 1))
    constant = integers(axes, () if len(axes) == 1 else None)
    return step.emit(
        _variant(step, _REDUCERS),
        [step.input, constant],
        step.shape,
        keep_dims=bool(step.layer.keepdims),
        axis=axes,
    )


@rule("Flatten", "Reshape")
def reshape(step: Step) -> Value:
    """RESHAPE."""
    if step.call.kind == "Flatten":
        step.require_channels_last()
    return _reshape(step, step.input, step.shape)


@rule("ZeroPadding1D", "ZeroPadding2D")
def zero_padding(step: Step) -> Value:
    """PAD of the spatial axes."""
    step.require_channels_last()
    padding = step.layer.padding
    pairs = [padding] if step.call.kind == "ZeroPadding1D" else list(padding)
    return _pad(step, step.input, pairs)


def _pad(step: Step, value: Value, pairs: Sequence[Sequence[int]]) -> Value:
    padding = [(0, 0), *(tuple(pair) for pair in pairs), (0, 0)]
    flat = [amount for pair in padding for amount in pair]
    shape: Shape = tuple(
        dim if pair == (0, 0) else dim + sum(pair)
        for dim, pair in zip(value.shape, padding, strict=True)
    )
    constant = integers(flat, (len(padding), 2))
    return step.emit("PAD", [value, constant], shape, paddings=tuple(padding))


_BINARY = {
    "Add": "ADD",
    "Average": "ADD",
    "Multiply": "MUL",
    "Subtract": "SUB",
    "Maximum": "MAXIMUM",
    "Minimum": "MINIMUM",
}


@rule(*_BINARY)
def elementwise(step: Step) -> Value:
    """A chain of operators on two tensors; an average ends with MUL by a scalar."""
    first, *others = step.inputs
    if not others:
        raise step.unsupported("one of its operands is a constant: use a Rescaling layer")
    value = first
    for other in others:
        value = step.arithmetic(_BINARY[step.call.kind], value, other)
    if step.call.kind == "Average":
        return step.arithmetic("MUL", value, step.per_tensor("share", ()))
    return value


@rule("Concatenate")
def concatenate(step: Step) -> Value:
    """CONCATENATION along the layer's axis."""
    return step.emit(
        "CONCATENATION",
        list(step.inputs),
        step.shape,
        axis=step.layer.axis,
        fused_activation="NONE",
    )


@rule("UpSampling1D")
def upsampling_1d(step: Step) -> Value:
    """RESHAPE, TILE and RESHAPE: each frame several times."""
    return _repeat(step, step.input, 1, step.layer.size)


@rule("UpSampling2D")
def upsampling(step: Step) -> Value:
    """Repetition along both axes, or RESIZE_BILINEAR."""
    step.require_channels_last()
    if step.layer.interpolation == "bilinear":
        size = integers(step.shape[1:3])
        flags = {"align_corners": False, "half_pixel_centers": True}
        return step.emit("RESIZE_BILINEAR", [step.input, size], step.shape, **flags)
    if step.layer.interpolation != "nearest":
        raise step.unsupported("use interpolation='nearest' or 'bilinear'")
    value = step.input
    for axis, times in enumerate(step.layer.size, start=1):
        value = _repeat(step, value, axis, times)
    return value


def _repeat(step: Step, value: Value, axis: int, times: int) -> Value:
    if times == 1:
        return value
    shape: list[Extent] = list(value.shape)
    apart = [*shape[: axis + 1], 1, *shape[axis + 1 :]]
    multiples = [1] * len(apart)
    multiples[axis + 1] = times
    repeated = [*shape[: axis + 1], times, *shape[axis + 1 :]]
    joined = [*shape[:axis], shape[axis] * times, *shape[axis + 1 :]]
    thin = _reshape(step, value, tuple(apart))
    tiled = step.emit("TILE", [thin, integers(multiples)], tuple(repeated))
    return _reshape(step, tiled, tuple(joined))
