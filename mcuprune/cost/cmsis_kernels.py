"""What TFLM's CMSIS-NN kernels ask for while preparing: scratch memory and persistent buffers.

Source: the Prepare functions in tensorflow/lite/micro/kernels/cmsis_nn, whose version is in
``cost_models/kernels/tflm_cmsis_nn.yaml``. Kernels that are not here do what the reference kernels
do (:mod:`mcuprune.cost.scratch`, :mod:`mcuprune.cost.prepared`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost import cmsis_nn
from mcuprune.cost.cmsis_nn import INT_BYTES, CmsisNn, Convolution, Image
from mcuprune.cost.operands import operand, result
from mcuprune.ir.dim import Dim, Extent, is_more_than, is_multiple
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import ScratchRequest

Rule: TypeAlias = Callable[[Graph, Operator, CmsisNn], list[ScratchRequest]]
PersistentRule: TypeAlias = Callable[[Graph, Operator, CmsisNn], list[Extent]]

_QUANTIZED = ("int8", "int16")
# Position of the cell state among the inputs: kLstmCellStateTensor in lstm_shared.h.
_LSTM_CELL_STATE = 19
_LSTM_GATES = 4


def _convolution(graph: Graph, operator: Operator, build: CmsisNn) -> list[ScratchRequest]:
    """conv.cc: int4 weights are asked for as int8 ones."""
    data = operand(graph, operator, 0, rank=4)
    weights = operand(graph, operator, 1, rank=4, exactly=True)
    _, height, width, channels = weights.shape
    shape = _geometry(operator, data, result(graph, operator, rank=4), (height, width), channels)
    if data.dtype == "int8":
        return _if_any(operator, cmsis_nn.convolution(shape, build))
    if data.dtype == "int16":
        return _if_any(operator, cmsis_nn.convolution_of_int16(shape, build))
    return []


def _depthwise(graph: Graph, operator: Operator, build: CmsisNn) -> list[ScratchRequest]:
    """depthwise_conv.cc: for int8 only."""
    data = operand(graph, operator, 0, rank=4)
    weights = operand(graph, operator, 1, rank=4, exactly=True)
    if data.dtype != "int8":
        return []
    _, height, width, channels = weights.shape
    shape = _geometry(operator, data, result(graph, operator, rank=4), (height, width), channels)
    is_int4 = weights.dtype == "int4"
    rule = cmsis_nn.depthwise_of_int4_weights if is_int4 else cmsis_nn.depthwise
    return _if_any(operator, rule(shape, build))


def _transposed_convolution(
    graph: Graph, operator: Operator, build: CmsisNn
) -> list[ScratchRequest]:
    """transpose_conv.cc: both requests are made whatever their size."""
    data = operand(graph, operator, 2, rank=4)
    weights = operand(graph, operator, 1, rank=4, exactly=True)
    output = result(graph, operator, rank=4)
    if data.dtype == "int16":
        return [ScratchRequest(operator.index, output.elements * 8)]
    if data.dtype != "int8":
        return []
    _, height, width, channels = weights.shape
    shape = _geometry(operator, data, output, (height, width), channels)
    sizes = cmsis_nn.transposed_convolution(shape, build)
    return [ScratchRequest(operator.index, size_bytes) for size_bytes in sizes]


def _average_pool(graph: Graph, operator: Operator, build: CmsisNn) -> list[ScratchRequest]:
    """pooling.cc."""
    data = operand(graph, operator, 0, rank=4)
    if data.dtype not in _QUANTIZED:
        return []
    return _if_any(operator, cmsis_nn.average_pool(data.shape[3], build))


def _fully_connected(graph: Graph, operator: Operator, build: CmsisNn) -> list[ScratchRequest]:
    """fully_connected.cc: more than two dimensions are done as a 1x1 convolution where possible."""
    data, weights = operand(graph, operator, 0), operand(graph, operator, 1, rank=1)
    if data.dtype != "int8" or weights.dtype == "int4":
        return []
    as_convolution = _is_pointwise(graph, operator, weights)
    outputs = result(graph, operator, rank=1).shape[-1]
    # A multiplier and a shift per channel, where the weights have one scale for all.
    has_one_scale = 1 + is_more_than(weights.quantization_scales, 1) * -1
    repeated = as_convolution * has_one_scale * outputs * (2 * INT_BYTES)
    sums = 0 if _keeps_kernel_sums(graph, operator) else cmsis_nn.kernel_sums(outputs, build)
    return _if_any(operator, repeated, (1 + as_convolution * -1) * sums)


def _kernel_sums(graph: Graph, operator: Operator, build: CmsisNn) -> list[Extent]:
    """fully_connected.cc: sums of constant weights are computed once."""
    data, weights = operand(graph, operator, 0), operand(graph, operator, 1, rank=1)
    if data.dtype != "int8" or weights.dtype == "int4" or not _keeps_kernel_sums(graph, operator):
        return []
    outputs = result(graph, operator, rank=1).shape[-1]
    is_other = 1 + _is_pointwise(graph, operator, weights) * -1
    sums = is_other * cmsis_nn.kernel_sums(outputs, build)
    return [] if _is_zero(sums) else [sums]


def _keeps_kernel_sums(graph: Graph, operator: Operator) -> bool:
    bias = operator.inputs[2] if len(operator.inputs) > 2 else -1
    is_bias_constant = bias < 0 or graph.tensors[bias].is_constant
    return operand(graph, operator, 1).is_constant and is_bias_constant


def _is_pointwise(graph: Graph, operator: Operator, weights: Tensor) -> Extent:
    if len(result(graph, operator).shape) <= 2:
        return 0
    return is_multiple(weights.shape[-1], 4)


def _matrix_product(graph: Graph, operator: Operator, build: CmsisNn) -> list[ScratchRequest]:
    """batch_matmul.cc."""
    if operand(graph, operator, 0).dtype != "int8":
        return []
    outputs = result(graph, operator, rank=1).shape[-1]
    return _if_any(operator, cmsis_nn.kernel_sums(outputs, build))


def _svdf_kernel_sums(graph: Graph, operator: Operator, build: CmsisNn) -> list[Extent]:
    """svdf.cc."""
    if operand(graph, operator, 0).dtype != "int8":
        return []
    sums = cmsis_nn.kernel_sums(operand(graph, operator, 1, rank=1).shape[0], build)
    return [] if _is_zero(sums) else [sums]


def _lstm(graph: Graph, operator: Operator, _: CmsisNn) -> list[ScratchRequest]:
    """unidirectional_sequence_lstm.cc: a buffer less than the reference kernel if quantized."""
    cell_state = operand(graph, operator, _LSTM_CELL_STATE)
    count = 3 if _is_quantized_lstm(graph, operator) else 4
    return [ScratchRequest(operator.index, cell_state.size_bytes)] * count


def _lstm_kernel_sums(graph: Graph, operator: Operator, _: CmsisNn) -> list[Extent]:
    """unidirectional_sequence_lstm.cc: per gate sums for the input and for the hidden state."""
    if not _is_quantized_lstm(graph, operator):
        return []
    units = operand(graph, operator, _LSTM_CELL_STATE, rank=1).shape[-1]
    is_int8 = operand(graph, operator, 0).dtype == "int8"
    return [units * (INT_BYTES if is_int8 else 2 * INT_BYTES)] * (2 * _LSTM_GATES)


def _is_quantized_lstm(graph: Graph, operator: Operator) -> bool:
    cell_state = operand(graph, operator, _LSTM_CELL_STATE)
    return cell_state.dtype == "int16" and operand(graph, operator, 0).dtype in _QUANTIZED


def _geometry(
    operator: Operator,
    data: Tensor,
    output: Tensor,
    filter_size: tuple[int, int],
    filter_channels: Extent,
) -> Convolution:
    options = operator.attributes
    stride = (options.get("stride_h", 1), options.get("stride_w", 1))
    dilation = (options.get("dilation_h", 1), options.get("dilation_w", 1))
    is_same = options.get("padding") == "SAME"
    axes = zip(data.shape[1:3], output.shape[1:3], filter_size, stride, dilation, strict=True)
    padding = tuple(_padding(*axis) if is_same else 0 for axis in axes)
    images = Image(*data.shape[-4:]), Image(*output.shape[-4:])
    return Convolution(
        *images, filter_size, filter_channels, stride, dilation, (padding[0], padding[1])
    )


def _padding(before: Extent, after: Extent, size: int, stride: int, dilation: int) -> int:
    """kernels/padding.h, ComputePaddingHeightWidth: rows or columns before the first."""
    reach = (size - 1) * dilation + 1
    missing = (after + -1) * stride + reach + before * -1
    if isinstance(missing, Dim):
        # Lengths that are widths: as many as there can be, what a stride of 1 needs.
        missing = missing.constant if not missing.terms else reach - 1
    return max(0, int(missing)) // 2


def _if_any(operator: Operator, *sizes: Extent) -> list[ScratchRequest]:
    """Request what is not 0 bytes."""
    return [
        ScratchRequest(operator.index, size_bytes, is_more_than(size_bytes, 0))
        for size_bytes in sizes
        if not _is_zero(size_bytes)
    ]


def _is_zero(size_bytes: Extent) -> bool:
    return bool(size_bytes == 0) or size_bytes == Dim()


SCRATCH: Mapping[str, Rule] = {
    "AVERAGE_POOL_2D": _average_pool,
    "BATCH_MATMUL": _matrix_product,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transposed_convolution,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
# On top of what the reference kernels allocate.
PERSISTENT: Mapping[str, PersistentRule] = {
    "FULLY_CONNECTED": _kernel_sums,
    "SVDF": _svdf_kernel_sums,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm_kernel_sums,
}
