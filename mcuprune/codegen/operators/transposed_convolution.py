"""TRANSPOSE_CONV."""

from __future__ import annotations

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.convolution import bias_of
from mcuprune.codegen.operators.windows import Axis, positions
from mcuprune.codegen.requantization import (
    activation_limits,
    channel_multipliers,
    multiplier_arrays,
)


def transpose_conv(node: Node) -> tuple[KernelCall, ...]:
    """TRANSPOSE_CONV: inputs are the output's shape, weights ``(out, kh, kw, in)`` and data."""
    node.require(
        all(node.input(place).dtype == "int8" for place in (1, 2)), "weights and data must be int8"
    )
    for quantization in (node.input_quantization(2), node.output_quantization()):
        node.require(len(quantization.scales) == 1, "data and output must have one scale each")
    node.require_picture(data=2)
    channels, window_height, window_width, depth = node.input_shape(1)
    _, height, width, _ = node.output_shape()
    rows = _axis(node, height, window_height, "h")
    columns = _axis(node, width, window_width, "w")
    factors, shifts = multiplier_arrays(channel_multipliers(node, channels, data=2))
    call = KernelCall(
        "transpose_conv",
        node.operator.inputs[2:3],
        node.operator.outputs,
        {
            "input_height": node.input_shape(2)[1],
            "input_width": node.input_shape(2)[2],
            "input_channels": depth,
            "output_height": height,
            "output_width": width,
            "output_channels": channels,
            "filter_height": window_height,
            "filter_width": window_width,
            "stride_height": rows.stride,
            "stride_width": columns.stride,
            "padding_top": rows.padding,
            "padding_left": columns.padding,
            "input_offset": -node.input_quantization(2).zero_point,
            "output_offset": node.output_quantization().zero_point,
            **activation_limits(node).to_parameters(),
            "weights": node.constant(1),
            "bias": bias_of(node, 3, channels),
            "factors": factors,
            "shifts": shifts,
        },
    )
    return (call,)


def _axis(node: Node, extent: int, window: int, letter: str) -> Axis:
    """Return the convolution of which this one is the transposition."""
    stride = node.option(f"stride_{letter}")
    return Axis(extent, positions(extent, window, stride, node.option("padding")), window, stride)
