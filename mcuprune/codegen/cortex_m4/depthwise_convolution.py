"""DEPTHWISE_CONV_2D for the DSP extension."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from mcuprune.codegen.cortex_m4 import sums
from mcuprune.codegen.cortex_m4.convolution import conv_2d, settled_channels
from mcuprune.codegen.kernel_call import KernelCall, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import convolution as portable
from mcuprune.codegen.operators.windows import Axis
from mcuprune.codegen.requantization import activation_limits, multiplier_arrays

_Item = TypeVar("_Item")

# More rows in one copy than this bring next to nothing.
_COPY_BYTES = 8192
_ELEMENT_BYTES, _WORD_BYTES = 2, 4
# Of one input channel; the kernel of convolutions is quicker then, and needs less room.
_LARGE_WINDOW = 16


def depthwise_conv_2d(node: Node) -> tuple[KernelCall, ...]:
    """DEPTHWISE_CONV_2D; with dilation or unusual sums the portable kernel."""
    (call,) = portable.depthwise_conv_2d(node)
    rows, columns = _axes(node)
    if node.input_shape()[3] == 1 and rows.window * columns.window >= _LARGE_WINDOW:
        return conv_2d(_as_convolution(node))
    outputs = node.output_shape()[3]
    weights = node.constant(1)[0]
    channels = settled_channels(node, weights.reshape(-1, outputs).T)
    if (
        max(rows.dilation, columns.dilation) > 1
        or not sums.have_quick_shifts(channels.multipliers)
        or not sums.are_within(sums.sum_limits(channels.weights, channels.bias), sums.SUM_LIMIT)
    ):
        return (call,)
    factors, _ = multiplier_arrays(channels.multipliers)
    pitch = _pitch(columns)
    band = _band(rows, columns, pitch, min(node.spare_bytes, _COPY_BYTES))
    quick = KernelCall(
        "depthwise_conv_2d_dsp",
        call.inputs,
        call.outputs,
        {
            **_shapes(node, rows, columns),
            "depth_multiplier": call.parameters["depth_multiplier"],
            "output_channels": outputs,
            "band": band,
            "pitch": pitch,
            "padding": node.input_quantization().zero_point,
            **sums.rounding_of(node.output_quantization().zero_point),
            **activation_limits(node).to_parameters(),
            "weights": np.ascontiguousarray(channels.weights),
            "bias": (2 * channels.bias).astype(np.int32),
            "factors": factors,
            "shifts": sums.shifts_less_one(channels.multipliers),
        },
        scratch_bytes=_scratch_bytes(rows, columns, pitch, band),
    )
    return (quick,)


def _as_convolution(node: Node) -> Node:
    """Return the convolution that a depthwise convolution of one channel is."""
    weights = node.operator.inputs[1]
    turned = np.ascontiguousarray(node.constant(1).transpose(3, 1, 2, 0))
    model, quantization = node.model, node.input_quantization(1)
    tensor = dataclasses.replace(node.input(1), shape=turned.shape)
    graph = dataclasses.replace(
        model.graph, tensors=_exchanged(model.graph.tensors, weights, tensor)
    )
    turned_model = dataclasses.replace(
        model,
        graph=graph,
        contents=_exchanged(model.contents, weights, turned.tobytes()),
        quantizations=_exchanged(
            model.quantizations, weights, dataclasses.replace(quantization, axis=0)
        ),
    )
    return Node(turned_model, dataclasses.replace(node.operator, kind="CONV_2D"))


def _exchanged(items: tuple[_Item, ...], place: int, item: _Item) -> tuple[_Item, ...]:
    return (*items[:place], item, *items[place + 1 :])


def _axes(node: Node) -> tuple[Axis, Axis]:
    """Return rows and columns; a picture of one column is taken as one row, which is as long."""
    rows, columns = portable.window_axes(node, node.input_shape(1)[1:3])
    is_column = columns.source == columns.target == columns.window == 1
    return (columns, rows) if is_column else (rows, columns)


def _shapes(node: Node, rows: Axis, columns: Axis) -> dict[str, Parameter]:
    return {
        "input_height": rows.source,
        "input_width": columns.source,
        "input_channels": node.input_shape()[3],
        "output_height": rows.target,
        "output_width": columns.target,
        "filter_height": rows.window,
        "filter_width": columns.window,
        "stride_height": rows.stride,
        "stride_width": columns.stride,
        "padding_top": rows.padding,
        "padding_left": columns.padding,
    }


def _pitch(columns: Axis) -> int:
    """Return the elements of a row of the copy: all that windows read, two by two."""
    # Outputs come in twos, and taps, and words: up to three elements further.
    reach = (columns.target - 1) * columns.stride + columns.window
    return (reach + columns.stride + 3) // 2 * 2


def _band(rows: Axis, columns: Axis, pitch: int, spare_bytes: int) -> int:
    """Return how many rows of the output are made from one copy: one, or what fits."""
    fitting = [
        band
        for band in range(1, rows.target + 1)
        if _scratch_bytes(rows, columns, pitch, band) <= spare_bytes
    ]
    return max(fitting, default=1)


def _scratch_bytes(rows: Axis, columns: Axis, pitch: int, band: int) -> int:
    """Return the bytes of the copy, and of a row of sums or of all taps, whichever is used."""
    rows_of_copy = (band - 1) * rows.stride + rows.window
    taps = -(-columns.window // 2) * rows.window * _WORD_BYTES
    row_of_sums = (columns.target + 1) * _WORD_BYTES
    return rows_of_copy * pitch * _ELEMENT_BYTES + max(taps, row_of_sums)
