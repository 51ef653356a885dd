"""The channel rule of layers that handle every channel by itself."""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.channels.effect import ConfigSize, Coupler, Effect, mixing_activation, rule
from mcuprune.channels.layout import Layout
from mcuprune.ir.keras_graph import LayerCall


@rule(
    "ActivityRegularization", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "Cropping1D", "Cropping2D", "Cropping3D", "ELU", "GaussianDropout",
    "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "Identity", "LeakyReLU",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "ReLU", "RepeatVector", "Resizing",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "StochasticDepth",
    "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D",
)  # fmt: skip
def channelwise_layer(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass each channel on by itself."""
    return Effect(inputs[0])


@rule(
    "Abs", "Absolute", "AveragePool", "Cast", "Ceil", "Celu", "Clip", "Cos", "Elu", "Erf", "Exp",
    "Expm1", "Floor", "Gelu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu",
    "Log", "Log1p", "LogSigmoid", "MaxPool", "Negative", "Reciprocal", "Relu", "Relu6", "Resize",
    "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Silu", "Sin", "SoftShrink", "Softplus",
    "Softsign", "Sqrt", "Square", "Squareplus", "StopGradient", "Tanh", "TanhShrink", "Threshold",
)  # fmt: skip
def channelwise_operation(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass each channel on by itself (``keras.ops``)."""
    return Effect(inputs[0])


@rule("Activation")
def activation(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass each channel on by itself, unless the function mixes them."""
    if mixing_activation(call.layer):
        coupler.freeze(inputs[0], f"{call.name} applies softmax over its channels")
    return Effect(inputs[0])


@rule("AlphaDropout", "Dropout")
def dropout(call: LayerCall, inputs: Sequence[Layout], coupler: Coupler) -> Effect:
    """Pass each channel on by itself; a mask shape that names the channels follows them."""
    shape = getattr(call.layer, "noise_shape", None)
    if shape is None or shape[-1] in (None, 1):
        return Effect(inputs[0])
    return Effect(inputs[0], sizes=(ConfigSize("noise_shape", inputs[0], index=-1),))
