"""FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np

from mcuprune.codegen.fixed_point import Multiplier, quantized_multiplier
from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.convolution import bias_of
from mcuprune.codegen.requantization import (
    activation_limits,
    channel_multipliers,
    multiplier_arrays,
    require_one_scale,
)


def fully_connected(node: Node) -> tuple[KernelCall, ...]:
    """FULLY_CONNECTED: weights ``(out, in)``, any number of rows."""
    node.require_types("int8", inputs=2)
    require_one_scale(node)
    channels, depth = node.input_shape(1)
    multipliers = multipliers_of(node)
    factors, shifts = multiplier_arrays(multipliers)
    call = KernelCall(
        "fully_connected",
        node.operator.inputs[:1],
        node.operator.outputs,
        {
            "rows": int(node.input().elements) // depth,
            "depth": depth,
            "output_channels": channels,
            "input_offset": -node.input_quantization().zero_point,
            "output_offset": node.output_quantization().zero_point,
            **activation_limits(node).to_parameters(),
            "multiplier_step": int(len(multipliers) > 1),
            "weights": node.constant(1),
            "bias": bias_of(node, 2, channels),
            "factors": factors,
            "shifts": shifts,
        },
    )
    return (call,)


def multipliers_of(node: Node) -> list[Multiplier]:
    """Return the multiplier of each channel, or one for all if the weights have one scale."""
    multipliers = channel_multipliers(node, node.input_shape(1)[0])
    if len(node.input_quantization(1).scales) == 1:
        return [_one_multiplier(node)]
    return multipliers


def _one_multiplier(node: Node) -> Multiplier:
    """Return the multiplier of weights with one scale.

    The product of the scales is rounded to float32, as in GetQuantizedConvolutionMultipler
    (tensorflow/lite/kernels/kernel_util.cc), which convolutions do not use.
    """
    product = np.float32(node.input_quantization().scale) * np.float32(
        node.input_quantization(1).scale
    )
    return quantized_multiplier(float(product) / node.output_quantization().scale)
