"""Scales of results and limits of fused activations, as TFLM prepares them."""

from __future__ import annotations

import dataclasses

import numpy as np

from mcuprune.codegen.fixed_point import Multiplier, quantized_multiplier
from mcuprune.codegen.kernel_call import Numbers, Parameter
from mcuprune.codegen.model_file import Node, Quantization

INT8_MIN, INT8_MAX = -128, 127


@dataclasses.dataclass(frozen=True)
class Limits:
    """Smallest and largest stored number that a fused activation lets through."""

    least: int
    most: int

    def to_parameters(self) -> dict[str, Parameter]:
        """Return them under the names that kernels use."""
        return {"activation_min": self.least, "activation_max": self.most}


def activation_limits(node: Node) -> Limits:
    """Return the limits of an operator's fused activation on its int8 output.

    Source: CalculateActivationRangeQuantized in tensorflow/lite/kernels/kernel_util.cc.

    Raises:
        UnsupportedModelError: The activation has no limits (``TANH``, ``SIGN_BIT``).
    """
    name, quantization = node.option("fused_activation"), node.output_quantization()
    ranges = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}
    node.require(name in ranges, f"fused activation {name}; known: {', '.join(ranges)}")
    least, most = ranges[name]
    return Limits(
        INT8_MIN if least is None else max(INT8_MIN, quantized_value(least, quantization)),
        INT8_MAX if most is None else min(INT8_MAX, quantized_value(most, quantization)),
    )


def quantized_value(real: float, quantization: Quantization) -> int:
    """Return a real number as it is stored, not yet clipped; halves go away from zero."""
    quotient = float(np.float32(real) / np.float32(quantization.scale))
    return int(np.copysign(np.floor(abs(quotient) + 0.5), quotient)) + quantization.zero_point


def channel_multipliers(node: Node, channels: int, data: int = 0) -> list[Multiplier]:
    """Return the multiplier of each output channel of a convolution.

    Source: PopulateConvolutionQuantizationParams in tensorflow/lite/kernels/kernel_util.cc.

    Args:
        node: An operator whose second input holds the weights.
        channels: Number of output channels.
        data: Which input holds the data.

    Raises:
        UnsupportedModelError: Neither one scale nor one per channel.
    """
    weights = node.input_quantization(1)
    count = len(weights.scales)
    node.require(
        count in (1, channels),
        f"its weights have {count} scales for {channels} channels; one or {channels} are known",
    )
    node.require(not any(weights.zero_points), "its weights have a zero point other than 0")
    scales = weights.scales if count == channels else weights.scales * channels
    source, target = node.input_quantization(data).scale, node.output_quantization().scale
    return [quantized_multiplier(source * scale / target) for scale in scales]


def multiplier_arrays(multipliers: list[Multiplier]) -> tuple[Numbers, Numbers]:
    """Return factors (int32) and shifts (int8) as kernels read them."""
    return (
        np.array([multiplier.factor for multiplier in multipliers], np.int32),
        np.array([multiplier.shift for multiplier in multipliers], np.int8),
    )


def require_one_scale(node: Node, inputs: int = 1) -> None:
    """Raise unless the first inputs and the outputs are quantized with one positive scale each.

    Raises:
        UnsupportedModelError: A tensor has no scale or several.
    """
    places = [node.input_quantization(place) for place in range(inputs)]
    places += [node.output_quantization(place) for place in range(len(node.operator.outputs))]
    for quantization in places:
        node.require(
            len(quantization.scales) == 1,
            f"a tensor has {len(quantization.scales)} scales; one is needed. "
            "Convert the model to full int8",
        )
        node.require(quantization.scale > 0, f"a tensor has the scale {quantization.scale:g}")
