"""Persistent buffers that kernels allocate while preparing, which depend on their tensors.

Source: the Prepare functions in tensorflow/lite/micro/kernels (tflite-micro 90b983c, 2026-08-20).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost import cmsis_kernels
from mcuprune.cost.operands import operand, result
from mcuprune.cost.runtime import Runtime
from mcuprune.ir.dim import Extent, is_more_than
from mcuprune.ir.graph import Graph, Operator, Tensor

_INT_BYTES = 4
_Rule: TypeAlias = Callable[[Graph, Operator, Runtime], list[Extent]]
# LUTSize<int16_t>() in lite/kernels/internal/common.h.
_INT16_TABLE_BYTES = 2 * 513


def prepared(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    """Return the bytes of each buffer of one operator, before alignment."""
    rule = _RULES.get(operator.kind)
    own = [] if rule is None else rule(graph, operator, runtime)
    if runtime.cmsis_nn is None:
        return own
    added = cmsis_kernels.PERSISTENT.get(operator.kind)
    return own + ([] if added is None else added(graph, operator, runtime.cmsis_nn))


def _convolution(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    """conv_common.cc, cmsis_nn/conv.cc: a multiplier and a shift per output channel."""
    return [] if _is_spared(graph, operator, runtime) else _per_channel(graph, operator, runtime)


def _per_channel(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """transpose_conv.cc: the same, whatever the type."""
    return [operand(graph, operator, 1, rank=1).shape[0] * _INT_BYTES] * 2


def _is_spared(graph: Graph, operator: Operator, runtime: Runtime) -> bool:
    """Return whether this is a float kernel of CMSIS-NN: reference ones allocate all the same."""
    return runtime.cmsis_nn is not None and operand(graph, operator, 0).dtype == "float32"


def _depthwise(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    """depthwise_conv_common.cc: the same; its weights have the channels last."""
    if _is_spared(graph, operator, runtime):
        return []
    return [operand(graph, operator, 1, rank=4).shape[3] * _INT_BYTES] * 2


def _per_channel_if_quantized_so(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """fully_connected_common.cc: the same, only for weights with a scale per channel."""
    weights, data = operand(graph, operator, 1), operand(graph, operator, 0)
    scales = weights.quantization_scales
    if data.dtype == "float32" or scales == 0:
        return []
    return [scales * is_more_than(scales, 1) * _INT_BYTES] * 2


def _softmax_tables(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """softmax_common.cc: two lookup tables for 16-bit input."""
    is_16_bit = operand(graph, operator, 0).dtype == "int16"
    return [_INT16_TABLE_BYTES] * 2 if is_16_bit else []


def _own_dimensions(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """kernel_util.cc, CreateWritableTensorDimsWithCopy: a writable copy of the output's shape."""
    return [_dimensions_bytes(result(graph, operator))]


def _transposed_operands(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    """batch_matmul.cc: quantization data, a copy of each operand to transpose, the own shape."""
    left, right = operand(graph, operator, 0), operand(graph, operator, 1)
    is_quantized = left.dtype in ("int8", "int16")
    own = [runtime.structs["QuantizationOpDataBatchMatmul"].size_bytes] if is_quantized else []
    for tensor, is_copied in (
        (left, operator.attributes.get("adj_x", False)),
        (right, not operator.attributes.get("adj_y", False)),
    ):
        if is_copied:
            struct = runtime.structs["TfLiteEvalTensor"].size_bytes
            own += [struct, _dimensions_bytes(tensor), tensor.size_bytes]
    return own + _own_dimensions(graph, operator, runtime)


def _data_if_int8(struct: str) -> _Rule:
    """Return the rule of a kernel that allocates its data while preparing, for int8 only."""

    def rule(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
        is_int8 = result(graph, operator).dtype == "int8"
        return [runtime.structs[struct].size_bytes] if is_int8 else []

    return rule


def _dimensions_bytes(tensor: Tensor) -> int:
    return (1 + len(tensor.shape)) * _INT_BYTES


_RULES: Mapping[str, _Rule] = {
    "CONV_2D": _convolution,
    "TRANSPOSE_CONV": _per_channel,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _per_channel_if_quantized_so,
    "SOFTMAX": _softmax_tables,
    "BATCH_MATMUL": _transposed_operands,
    "DEPTH_TO_SPACE": _own_dimensions,
    "GATHER": _own_dimensions,
    "GATHER_ND": _own_dimensions,
    "L2_POOL_2D": _own_dimensions,
    "SPACE_TO_DEPTH": _own_dimensions,
    "ADD_N": _data_if_int8("OpDataAddN"),
    "CUMSUM": _data_if_int8("OpDataCumsum"),
    "LOG_SOFTMAX": _data_if_int8("LogSoftmaxOpData"),
}
