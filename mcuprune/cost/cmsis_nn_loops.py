"""Loops of CMSIS-NN's int8 kernels on cores with the DSP extension (Cortex-M4, M7, M33).

Read from ARM-software/CMSIS-NN 99f736a6 as called by tflite-micro 90b983c: which kernel its
wrappers choose, what it computes at once, and what one by one where channels do not divide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost.loops import Loops, product, quotient_and_rest
from mcuprune.cost.operands import operand, result
from mcuprune.cost.windows import (
    Windows,
    convolution_windows,
    is_dilated,
    is_strided,
    pooling_windows,
)
from mcuprune.ir.dim import Dim, Extent
from mcuprune.ir.graph import Graph, Operator

Rule: TypeAlias = Callable[[Graph, Operator], Loops | None]


def cmsis_nn_loops(graph: Graph, operator: Operator) -> Loops | None:
    """Return the loops of an int8 operator, None where TFLM falls back on its reference kernel.

    Args:
        graph: A graph, its widths known or open.
        operator: One of its operators.
    """
    return loops_by(_RULES, graph, operator)


def loops_by(rules: Mapping[str, Rule], graph: Graph, operator: Operator) -> Loops | None:
    """Return the loops of an int8 operator by the rule for its kind, None without one.

    Args:
        rules: The rule for each kind of operator that CMSIS-NN has a kernel for.
        graph: A graph, its widths known or open.
        operator: One of its operators.
    """
    rule = rules.get(operator.kind)
    if rule is None or operand(graph, operator, 0).dtype != "int8":
        return None
    return rule(graph, operator)


def _convolution(graph: Graph, operator: Operator) -> Loops | None:
    """arm_convolve_wrapper_s8.c."""
    windows = convolution_windows(graph, operator)
    data, weights = operand(graph, operator, 0), operand(graph, operator, 1)
    if weights.dtype != "int8":
        return None
    out_channels, inner = result(graph, operator).shape[-1], weights.shape[-1]
    groups = group_count(data.shape[-1], inner)
    if weights.shape[1:3] == (1, 1) and windows.widest_padding == 0 and groups == 1:
        counts = _pointwise(windows, out_channels, inner, is_strided(operator))
        return Loops("conv_1x1", counts)
    return Loops("conv", _im2col_convolution(windows, out_channels, inner, groups))


def group_count(channels: Extent, of_filter: Extent) -> int:
    """Return the groups of a convolution; those with open widths are counted as one."""
    if isinstance(channels, Dim) or isinstance(of_filter, Dim):
        return 1
    return max(1, int(channels) // max(1, int(of_filter)))


def _pointwise(
    windows: Windows, out_channels: Extent, inner: Extent, strided: bool
) -> Mapping[str, Extent]:
    """arm_convolve_1x1_s8_fast.c, arm_convolve_1x1_s8.c: arm_nn_mat_mult_nt_t_s8.c.

    Two output channels by two positions at once; with strides row by row.
    """
    calls, positions = (windows.rows, windows.columns) if strided else (1, windows.positions)
    pairs, odd_channel = quotient_and_rest(out_channels, 2)
    two_positions, odd_position = quotient_and_rest(positions, 2)
    by_16, below_16 = quotient_and_rest(inner, 16)
    by_4, single = quotient_and_rest(below_16, 4)
    products = {"": 1, "_by_16": by_16, "_by_4": by_4, "_single": single}
    return {
        "row_call": calls,
        **product("pair_of_channels", calls * pairs, {"": 1, "_sum": inner}),
        **product("tile", calls * pairs * two_positions, products),
        **product("odd_position", calls * pairs * odd_position, products),
        **product("odd_channel", calls * odd_channel * positions, {"": 1, "_product": inner}),
    }


def _im2col_convolution(
    windows: Windows, out_channels: Extent, inner: Extent, groups: Extent
) -> Mapping[str, Extent]:
    """arm_convolve_s8.c: columns are copied, widened and multiplied two at a time."""
    column = windows.height * windows.width * inner
    by_4, single = quotient_and_rest(column, 4)
    of_group = out_channels if isinstance(out_channels, Dim) else out_channels // groups
    pairs, odd_channel = quotient_and_rest(of_group, 2)
    columns = windows.positions
    two_columns, odd_column = quotient_and_rest(columns, 2)
    products = {"": 1, "_by_4": by_4, "_single": single}
    counts = {
        **product("copy", windows.taps_inside, _copied(inner)),
        **product("pad", windows.taps + windows.taps_inside * -1, _copied(inner)),
        **product("column", columns, products),
        "pair_of_columns": two_columns,
        **product("tile", two_columns * pairs, products),
        **product("odd_channel", two_columns * odd_channel, products),
        **product("odd_column", odd_column * of_group, products),
    }
    return {name: count * groups for name, count in counts.items()}


def _copied(size_bytes: Extent) -> Mapping[str, Extent]:
    """Memory is copied by sixteen bytes, by words and by bytes, in a call of its own."""
    by_16, below_16 = quotient_and_rest(size_bytes, 16)
    by_4, single = quotient_and_rest(below_16, 4)
    return {"": 1, "_by_16": by_16, "_by_4": by_4, "_single": single}


def _depthwise(graph: Graph, operator: Operator) -> Loops | None:
    """arm_depthwise_conv_wrapper_s8.c."""
    windows, weights = convolution_windows(graph, operator), operand(graph, operator, 1)
    if weights.dtype != "int8":
        return None
    channels = result(graph, operator).shape[-1]
    multiplier = int(operator.attributes.get("depth_multiplier", 1) or 1)
    if multiplier == 1 and not is_dilated(operator):
        if weights.shape[1:3] == (3, 3) and windows.widest_padding <= 1:
            return Loops("depthwise_3x3", _depthwise_3x3(windows, channels))
        return Loops("depthwise", _depthwise_columns(windows, channels))
    if multiplier % 4 == 0 and not is_dilated(operator):
        fours, _ = quotient_and_rest(channels, 4)
        return Loops("depthwise_by_multiplier", depthwise_direct(windows, fours))
    return Loops("depthwise_generic", depthwise_direct(windows, channels))


def _depthwise_3x3(windows: Windows, channels: Extent) -> Mapping[str, Extent]:
    """arm_depthwise_conv_3x3_s8.c: four channels at once, the window inside the input only."""
    fours, single = quotient_and_rest(channels, 4)
    inside = {
        "": windows.positions,
        "_row": windows.rows_inside * windows.columns,
        "_tap": windows.taps_inside,
    }
    return {
        "position": windows.positions,
        **{f"four{name}": fours * count for name, count in inside.items()},
        **{f"single{name}": single * count for name, count in inside.items()},
    }


def _depthwise_columns(windows: Windows, channels: Extent) -> Mapping[str, Extent]:
    """arm_depthwise_conv_s8_opt.c: the window is widened, then two taps of four channels."""
    fours, single = quotient_and_rest(channels, 4)
    two_taps, odd_tap = quotient_and_rest(windows.height * windows.width, 2)
    outside = windows.taps + windows.taps_inside * -1
    return {
        "position": windows.positions,
        **product("widen", windows.taps_inside, {"": 1, "_by_4": fours, "_single": single}),
        **product("pad", outside, {"": 1, "_channel": channels}),
        **product(
            "four", windows.positions * fours, {"": 1, "_two_taps": two_taps, "_odd_tap": odd_tap}
        ),
        **product(
            "single", windows.positions * single, {"": 1, "_tap": windows.height * windows.width}
        ),
    }


def depthwise_direct(windows: Windows, blocks: Extent) -> Mapping[str, Extent]:
    """arm_depthwise_conv_s8.c: depthwise_conv_s8_mult_4 and depthwise_conv_s8_generic."""
    return {
        "position": windows.positions,
        "block": windows.positions * blocks,
        "block_row": windows.rows_inside * windows.columns * blocks,
        "block_tap": windows.taps_inside * blocks,
    }


def _fully_connected(graph: Graph, operator: Operator) -> Loops | None:
    """arm_fully_connected_wrapper_s8.c: two outputs at once.

    arm_nn_vec_mat_mult_t_s8.c, arm_nn_vec_mat_mult_t_per_ch_s8.c.
    """
    weights, output = operand(graph, operator, 1, rank=2), result(graph, operator, rank=1)
    if weights.dtype != "int8":
        return None
    outputs, inner = output.shape[-1], weights.shape[-1]
    batches = 1
    for extent in output.shape[:-1]:
        batches = batches * extent
    by_4_whole = not isinstance(inner, Dim) and inner % 4 == 0
    if len(output.shape) > 2 and by_4_whole:
        windows = Windows(1, batches, 1, 1, 1, batches, 0)
        return Loops("conv_1x1", _pointwise(windows, outputs, inner, strided=False))
    pairs, odd = quotient_and_rest(outputs, 2)
    by_4, single = quotient_and_rest(inner, 4)
    products = {"": 1, "_by_4": by_4, "_single": single}
    per_channel = isinstance(weights.quantization_scales, Dim) or weights.quantization_scales > 1
    return Loops(
        "fully_connected_per_channel" if per_channel else "fully_connected",
        {
            "batch": batches,
            **product("pair", batches * pairs, products),
            **product("odd_output", batches * odd, products),
        },
    )


def _average_pool(graph: Graph, operator: Operator) -> Loops | None:
    """arm_avgpool_s8.c: one sum per channel, a division per output."""
    windows, channels = pooling_windows(graph, operator), result(graph, operator).shape[-1]
    return Loops(
        "average_pool",
        {
            "position": windows.positions,
            "tap": windows.taps_inside,
            "tap_channel": windows.taps_inside * channels,
            "output": windows.positions * channels,
        },
    )


def _max_pool(graph: Graph, operator: Operator) -> Loops | None:
    """arm_max_pool_s8.c: the first tap is copied, the others are compared by four."""
    windows, channels = pooling_windows(graph, operator), result(graph, operator).shape[-1]
    fours, single = quotient_and_rest(channels, 4)
    compared = windows.taps_inside + windows.positions * -1
    return Loops(
        "max_pool",
        {
            **product("position", windows.positions, _copied(channels)),
            **product("tap", compared, {"": 1, "_by_4": fours, "_single": single}),
            "output": windows.positions * channels,
        },
    )


def _elementwise(graph: Graph, operator: Operator) -> Loops | None:
    """arm_elementwise_add_s8.c, arm_elementwise_mul_s8.c: by four; not where one is broadcast."""
    left, right = operand(graph, operator, 0), operand(graph, operator, 1)
    if left.shape != right.shape:
        return None
    by_4, single = quotient_and_rest(result(graph, operator).elements, 4)
    return Loops(operator.kind.lower(), {"by_4": by_4, "single": single})


def _softmax(graph: Graph, operator: Operator) -> Loops | None:
    """arm_nn_softmax_common_s8.c."""
    data = operand(graph, operator, 0, rank=1)
    rows: Extent = 1
    for extent in data.shape[:-1]:
        rows = rows * extent
    return Loops("softmax", {"row": rows, "element": rows * data.shape[-1]})


def pad(graph: Graph, operator: Operator) -> Loops | None:
    """arm_pad_s8.c: rows of the image are copied, what is around them is filled."""
    data, output = operand(graph, operator, 0, rank=2), result(graph, operator)
    rows: Extent = 1
    for extent in data.shape[:-2]:
        rows = rows * extent
    filled = output.elements + data.elements * -1
    return Loops("pad", {"row": rows, "byte": data.elements, "filled": filled})


_RULES: Mapping[str, Rule] = {
    "PAD": pad,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    "ADD": _elementwise,
    "MUL": _elementwise,
    "SOFTMAX": _softmax,
}
