"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

import numpy as np

from mcuprune.codegen.kernel_call import KernelCall, Numbers, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.windows import Axis
from mcuprune.codegen.requantization import (
    activation_limits,
    channel_multipliers,
    multiplier_arrays,
    require_one_scale,
)


def conv_2d(node: Node) -> tuple[KernelCall, ...]:
    """CONV_2D: weights ``(out, kh, kw, in / groups)``."""
    check_convolution(node)
    out_channels, _, _, in_channels = node.input_shape(1)
    depth = node.input_shape()[3]
    node.require(
        depth % in_channels == 0 and out_channels % (depth // in_channels) == 0,
        f"{depth} channels do not divide into groups of {in_channels}",
    )
    shapes = window_parameters(node, node.input_shape(1)[1:3])
    call = KernelCall(
        "conv_2d",
        node.operator.inputs[:1],
        node.operator.outputs,
        {
            **shapes,
            "group_channels": in_channels,
            "group_outputs": out_channels // (depth // in_channels),
            **output_parameters(node, out_channels),
            "weights": node.constant(1),
            **channel_parameters(node, out_channels),
        },
    )
    return (call,)


def depthwise_conv_2d(node: Node) -> tuple[KernelCall, ...]:
    """DEPTHWISE_CONV_2D: weights ``(1, kh, kw, out)``."""
    check_convolution(node)
    out_channels = node.input_shape(1)[3]
    depth = node.input_shape()[3]
    node.require(
        out_channels % depth == 0, f"{out_channels} outputs for {depth} channels, no multiple"
    )
    call = KernelCall(
        "depthwise_conv_2d",
        node.operator.inputs[:1],
        node.operator.outputs,
        {
            **window_parameters(node, node.input_shape(1)[1:3]),
            "depth_multiplier": out_channels // depth,
            **output_parameters(node, out_channels),
            "weights": node.constant(1),
            **channel_parameters(node, out_channels),
        },
    )
    return (call,)


def check_convolution(node: Node) -> None:
    """Raise unless types, scales and batch of a convolution are known.

    Raises:
        UnsupportedModelError: Names what is not.
    """
    node.require_types("int8", inputs=2)
    node.require_picture()
    require_one_scale(node)


def window_axes(node: Node, window: tuple[int, ...]) -> tuple[Axis, Axis]:
    """Return how a window ``(kh, kw)`` slides along height and width."""
    source, target = node.input_shape(), node.output_shape()
    options = node.operator.attributes
    height, width = (
        Axis(
            source[1 + axis],
            target[1 + axis],
            window[axis],
            options[f"stride_{letter}"],
            options.get(f"dilation_{letter}", 1),
        )
        for axis, letter in enumerate("hw")
    )
    return height, width


def window_parameters(node: Node, window: tuple[int, ...]) -> dict[str, Parameter]:
    """Return the shapes of a convolution or pool under the names that kernels use."""
    height, width = window_axes(node, window)
    return {
        "input_height": height.source,
        "input_width": width.source,
        "input_channels": node.input_shape()[3],
        "output_height": height.target,
        "output_width": width.target,
        "filter_height": height.window,
        "filter_width": width.window,
        "stride_height": height.stride,
        "stride_width": width.stride,
        "dilation_height": height.dilation,
        "dilation_width": width.dilation,
        "padding_top": height.padding,
        "padding_left": width.padding,
    }


def output_parameters(node: Node, channels: int) -> dict[str, Parameter]:
    """Return channels, zero points and limits of a convolution's output."""
    return {
        "output_channels": channels,
        "input_offset": -node.input_quantization().zero_point,
        "output_offset": node.output_quantization().zero_point,
        **activation_limits(node).to_parameters(),
    }


def channel_parameters(node: Node, channels: int) -> dict[str, Parameter]:
    """Return bias, factor and shift per output channel."""
    factors, shifts = multiplier_arrays(channel_multipliers(node, channels))
    return {"bias": bias_of(node, 2, channels), "factors": factors, "shifts": shifts}


def bias_of(node: Node, place: int, channels: int) -> Numbers:
    """Return an int32 bias, zeros where the operator has none."""
    if not node.has_input(place):
        return np.zeros(channels, np.int32)
    node.require(node.input(place).dtype == "int32", f"its bias is {node.input(place).dtype}")
    return node.constant(place).ravel()
