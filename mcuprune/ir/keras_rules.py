"""One small rule per Keras layer type: the operators that TensorFlow runs for it, unfused.

A rule reads its layer through a :class:`Step`, emits operators and returns the layer's output.
What the converter folds afterwards (batch norm, activations, paddings, reshapes) is left to
:mod:`mcuprune.ir.keras_folding`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.ir.draft import Shape, Value, integers, number
from mcuprune.ir.graph import Extent
from mcuprune.ir.keras_activations import activate, relu_layer
from mcuprune.ir.keras_step import Step, image_shape, rule


@rule(
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "Identity", "RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip
def training_only(step: Step) -> Value:
    """Pass the input on: the layer does nothing at inference."""
    return step.input


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
        value = step.arithmetic("MUL", value, number(step.layer.scale))
    if step.layer.offset != 0:
        value = step.arithmetic("ADD", value, number(step.layer.offset))
    return value


@rule("Normalization")
def normalization(step: Step) -> Value:
    """SUB of the mean and MUL by the reciprocal deviation."""
    if step.layer.invert:
        raise step.unsupported("it inverts a normalization: use a Rescaling layer")
    constant = tuple(step.layer.mean.shape)
    shifted = step.arithmetic("SUB", step.input, step.per_tensor("mean", constant))
    return step.arithmetic("MUL", shifted, step.per_tensor("scale", constant))


@rule("ReLU", "LeakyReLU")
def relu(step: Step) -> Value:
    """RELU, RELU6 or LEAKY_RELU."""
    return relu_layer(step)


@rule("Activation")
def activation(step: Step) -> Value:
    """Write the operator of the activation function."""
    return activate(step, step.input, step.layer.activation)


@rule("Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "HardSilu", "HardSigmoid")
def activation_function(step: Step) -> Value:
    """Write an activation called as ``keras.ops.relu(x)`` and the like."""
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
    wide = step.reshape(step.input, image_shape(step.input.shape))
    output = _pool(step, wide, image_shape(step.shape), pool, stride)
    return step.reshape(output, step.shape)


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
    constant = integers("axes", axes, () if len(axes) == 1 else None)
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
    return step.reshape(step.input, step.shape)


@rule("ZeroPadding1D", "ZeroPadding2D")
def zero_padding(step: Step) -> Value:
    """PAD of the spatial axes."""
    step.require_channels_last()
    padding = step.layer.padding
    pairs = [padding] if step.call.kind == "ZeroPadding1D" else list(padding)
    return step.pad(step.input, pairs)


@rule("Cropping1D", "Cropping2D")
def cropping(step: Step) -> Value:
    """STRIDED_SLICE; its masks name the axes that start or end where the tensor does."""
    step.require_channels_last()
    given = step.layer.cropping
    pairs = [(0, 0), *([given] if step.call.kind == "Cropping1D" else given), (0, 0)]
    last = len(pairs) - 1
    begin = integers("begin", [before for before, _ in pairs])
    end = integers("end", [-after for _, after in pairs])
    masks = {
        "begin_mask": 1 | 1 << last,
        "end_mask": sum(1 << axis for axis, (_, after) in enumerate(pairs) if after == 0),
        "ellipsis_mask": 0,
        "new_axis_mask": 0,
        "shrink_axis_mask": 0,
    }
    strides = integers("strides", [1] * len(pairs))
    return step.emit("STRIDED_SLICE", [step.input, begin, end, strides], step.shape, **masks)


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
    """Chain operators on two tensors; an average ends with MUL by a scalar."""
    first, *others = step.inputs
    if not others:
        raise step.unsupported("one of its operands is a constant: use a Rescaling layer")
    value = first
    for other in others:
        value = step.arithmetic(_BINARY[step.call.kind], value, other)
    if step.call.kind == "Average":
        return step.arithmetic("MUL", value, number(1 / len(step.inputs)))
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
        size = integers("size", step.shape[1:3])
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
    thin = step.reshape(value, tuple(apart))
    tiled = step.emit("TILE", [thin, integers("multiples", multiples)], tuple(repeated))
    return step.reshape(tiled, tuple(joined))
