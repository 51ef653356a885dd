"""Loops of CMSIS-NN's int8 kernels on cores with Helium vectors (Cortex-M55, M85).

Read from the MVE parts of ARM-software/CMSIS-NN 99f736a6: sixteen int8 values or four int32 sums in
a vector, a part vector at the price of a whole one, four positions at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from mcuprune.cost.cmsis_nn_loops import Rule, depthwise_direct, group_count, loops_by, pad
from mcuprune.cost.loops import Loops, product, quotient_and_rest
from mcuprune.cost.operands import operand, result
from mcuprune.cost.windows import (
    Windows,
    convolution_windows,
    is_dilated,
    is_strided,
    pooling_windows,
)
from mcuprune.ir.dim import Dim, Extent, ceil_div
from mcuprune.ir.graph import Graph, Operator

_BYTES_OF_VECTOR = 16
_SUMS_OF_VECTOR = 4


def cmsis_nn_helium_loops(graph: Graph, operator: Operator) -> Loops | None:
    """Return the loops of an int8 operator, None where TFLM falls back on its reference kernel.

    Args:
        graph: A graph, its widths known or open.
        operator: One of its operators.
    """
    return loops_by(_RULES, graph, operator)


def _convolution(graph: Graph, operator: Operator) -> Loops | None:
    """arm_convolve_wrapper_s8.c; rows of one line (arm_convolve_1_x_n_s8.c) count as others."""
    windows = convolution_windows(graph, operator)
    data, weights = operand(graph, operator, 0), operand(graph, operator, 1)
    if weights.dtype != "int8":
        return None
    channels, inner = result(graph, operator).shape[-1], weights.shape[-1]
    groups = group_count(data.shape[-1], inner)
    if weights.shape[1:3] == (1, 1) and windows.widest_padding == 0 and groups == 1:
        strided = is_strided(operator)
        calls, positions = (windows.rows, windows.columns) if strided else (1, windows.positions)
        return Loops("conv_1x1", _products(calls, positions, channels, inner))
    return Loops("conv", _im2col_convolution(windows, channels, inner, groups))


def _products(
    calls: Extent, positions: Extent, channels: Extent, inner: Extent
) -> Mapping[str, Extent]:
    """arm_nn_mat_mult_nt_t_s8.c: four positions by one output channel, sixteen products each."""
    fours, single = quotient_and_rest(positions, 4)
    vectors = ceil_div(inner, _BYTES_OF_VECTOR)
    channel = {"": 1, "_channel": channels, "_vector": channels * vectors}
    return {
        "row_call": calls,
        **product("four", calls * fours, channel),
        **product("single", calls * single, channel),
    }


def _im2col_convolution(
    windows: Windows, channels: Extent, inner: Extent, groups: int
) -> Mapping[str, Extent]:
    """arm_convolve_s8.c: four columns are copied and multiplied at once."""
    column = windows.height * windows.width * inner
    copied = {"": 1, "_vector": ceil_div(inner, _BYTES_OF_VECTOR)}
    of_group = channels if isinstance(channels, Dim) else channels // groups
    counts = {
        **product("copy", windows.taps_inside, copied),
        **product("pad", windows.taps + windows.taps_inside * -1, copied),
        "column": windows.positions,
        **_products(1, windows.positions, of_group, column),
    }
    return {name: count * groups for name, count in counts.items()}


def _depthwise(graph: Graph, operator: Operator) -> Loops | None:
    """arm_depthwise_conv_wrapper_s8.c."""
    windows, weights = convolution_windows(graph, operator), operand(graph, operator, 1)
    if weights.dtype != "int8":
        return None
    data, channels = operand(graph, operator, 0), result(graph, operator).shape[-1]
    multiplier = int(operator.attributes.get("depth_multiplier", 1) or 1)
    if data.shape[-1] == 1 and multiplier > 1:
        counts = _im2col_convolution(windows, channels, 1, 1)
        weight = windows.height * windows.width * channels
        return Loops("depthwise_as_conv", {**counts, "weight": weight})
    if multiplier == 1 and not is_dilated(operator):
        return Loops("depthwise", _depthwise_columns(windows, channels))
    if multiplier % 4 == 0 and not is_dilated(operator):
        fours, _ = quotient_and_rest(channels, 4)
        return Loops("depthwise_by_multiplier", depthwise_direct(windows, fours))
    return Loops("depthwise_generic", depthwise_direct(windows, channels))


def _depthwise_columns(windows: Windows, channels: Extent) -> Mapping[str, Extent]:
    """arm_depthwise_conv_s8_opt.c: four positions by four channels at once."""
    fours, single = quotient_and_rest(windows.positions, 4)
    sums = ceil_div(channels, _SUMS_OF_VECTOR)
    taps = windows.height * windows.width
    copied = {"": 1, "_vector": ceil_div(channels, _BYTES_OF_VECTOR)}
    return {
        "position": windows.positions,
        **product("copy", windows.taps_inside, copied),
        **product("pad", windows.taps + windows.taps_inside * -1, copied),
        **product("four", fours, {"": 1, "_sums": sums, "_tap": sums * taps}),
        **product("single", single, {"": 1, "_sums": sums, "_tap": sums * taps}),
    }


def _fully_connected(graph: Graph, operator: Operator) -> Loops | None:
    """arm_nn_vec_mat_mult_t_s8.c, arm_nn_vec_mat_mult_t_per_ch_s8.c: four outputs at once."""
    weights, output = operand(graph, operator, 1, rank=2), result(graph, operator, rank=1)
    if weights.dtype != "int8":
        return None
    outputs, inner = output.shape[-1], weights.shape[-1]
    batches: Extent = 1
    for extent in output.shape[:-1]:
        batches = batches * extent
    by_4_whole = not isinstance(inner, Dim) and inner % 4 == 0
    if len(output.shape) > 2 and by_4_whole:
        return Loops("conv_1x1", _products(1, batches, outputs, inner))
    fours, single = quotient_and_rest(outputs, 4)
    vectors = ceil_div(inner, _BYTES_OF_VECTOR)
    per_channel = isinstance(weights.quantization_scales, Dim) or weights.quantization_scales > 1
    return Loops(
        "fully_connected_per_channel" if per_channel else "fully_connected",
        {
            "batch": batches,
            **product("four", batches * fours, {"": 1, "_vector": vectors}),
            **product("single", batches * single, {"": 1, "_vector": vectors}),
        },
    )


def _pool(graph: Graph, operator: Operator) -> Loops | None:
    """arm_avgpool_s8.c, arm_max_pool_s8.c: sixteen channels at once."""
    windows = pooling_windows(graph, operator)
    vectors = ceil_div(result(graph, operator).shape[-1], _BYTES_OF_VECTOR)
    kernel = "average_pool" if operator.kind == "AVERAGE_POOL_2D" else "max_pool"
    return Loops(
        kernel,
        {
            "position": windows.positions,
            "tap": windows.taps_inside,
            "tap_vector": windows.taps_inside * vectors,
            "vector": windows.positions * vectors,
        },
    )


def _elementwise(graph: Graph, operator: Operator) -> Loops | None:
    """arm_elementwise_add_s8.c, arm_elementwise_mul_s8.c: not where one is broadcast."""
    left, right = operand(graph, operator, 0), operand(graph, operator, 1)
    if left.shape != right.shape:
        return None
    sums = ceil_div(result(graph, operator).elements, _SUMS_OF_VECTOR)
    return Loops(operator.kind.lower(), {"sums": sums})


def _softmax(graph: Graph, operator: Operator) -> Loops | None:
    """arm_softmax_s8.c."""
    data = operand(graph, operator, 0, rank=1)
    rows: Extent = 1
    for extent in data.shape[:-1]:
        rows = rows * extent
    sums, single = quotient_and_rest(data.shape[-1], _SUMS_OF_VECTOR)
    return Loops("softmax", product("row", rows, {"": 1, "_sums": sums, "_single": single}))


_RULES: Mapping[str, Rule] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "ADD": _elementwise,
    "MUL": _elementwise,
    "SOFTMAX": _softmax,
    "PAD": pad,
}
