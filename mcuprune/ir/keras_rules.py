"""One small rule per Keras layer type: the operators that TensorFlow runs for it, unfused.

A rule reads its layer through a :class:`Step`, emits operators and returns the layer's output.
What the converter folds afterwards (batch norm, activations, paddings, reshapes) is left to
:mod:`mcuprune.ir.keras_folding`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.ir import (  # noqa: F401 (they register rules)
    keras_convolutions,
    keras_normalization,
    keras_shapes,
)
from mcuprune.ir.draft import Shape, Value
from mcuprune.ir.keras_activations import activate
from mcuprune.ir.keras_arithmetic import reduce
from mcuprune.ir.keras_step import Step, image_shape, rule


@rule(
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "Identity", "RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "SpatialDropout1D", "SpatialDropout2D",
    "StochasticDepth",
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
    kind = _variant(step, _REDUCERS)
    return reduce(step, kind, step.input, axes, step.shape, is_scalar=True)
