"""Working memory that TFLM's kernels ask for while preparing.

Here are the rules of the reference kernels, those of CMSIS-NN's are in
:mod:`mcuprune.cost.cmsis_kernels`. Source: the Prepare functions in tensorflow/lite/micro/kernels
(tflite-micro 90b983c, 2026-08-20).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost import cmsis_kernels
from mcuprune.cost.operands import operand, result
from mcuprune.cost.runtime import Runtime, load_runtime
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import ScratchRequest

_Rule: TypeAlias = Callable[[Graph, Operator], list[Extent]]

_INT_BYTES = 4
_QUANTIZED = ("int8", "int16")
# Position of the cell state among the inputs: kLstmCellStateTensor in lstm_shared.h.
_LSTM_CELL_STATE = 19


def scratch_requests(graph: Graph, runtime: Runtime | None = None) -> tuple[ScratchRequest, ...]:
    """Return every request of a graph, in the order in which TFLM makes them.

    Args:
        graph: A graph, its widths known or open.
        runtime: Whose kernels ask; reference kernels on a 64-bit host if None.
    """
    asking = load_runtime() if runtime is None else runtime
    return tuple(
        request
        for operator in graph.operators
        for request in operator_scratch(graph, operator, asking)
    )


def operator_scratch(graph: Graph, operator: Operator, runtime: Runtime) -> list[ScratchRequest]:
    """Return the requests of one operator."""
    if runtime.cmsis_nn is not None and operator.kind in cmsis_kernels.SCRATCH:
        return cmsis_kernels.SCRATCH[operator.kind](graph, operator, runtime.cmsis_nn)
    if operator.kind == "ADD_N":
        # add_n.cc: a pointer per input.
        return [ScratchRequest(operator.index, len(operator.inputs) * runtime.pointer_bits // 8)]
    rule = _RULES.get(operator.kind)
    sizes = [] if rule is None else rule(graph, operator)
    return [ScratchRequest(operator.index, size_bytes) for size_bytes in sizes]


def _mean(graph: Graph, operator: Operator) -> list[Extent]:
    """reduce_common.cc: accumulators (if quantized), iteration index, resolved axes."""
    data, _ = _data_and_second(graph, operator)
    output = result(graph, operator)
    accumulators = [output.elements * _INT_BYTES] if data.dtype in _QUANTIZED else []
    return accumulators + _extreme(graph, operator)


def _extreme(graph: Graph, operator: Operator) -> list[Extent]:
    data, axes = _data_and_second(graph, operator)
    return [len(data.shape) * _INT_BYTES, axes.elements * _INT_BYTES]


def _transposed_convolution(graph: Graph, operator: Operator) -> list[Extent]:
    """transpose_conv.cc: one accumulator per output element."""
    data, output = operand(graph, operator, 2), result(graph, operator)
    accumulator_bytes = {"int8": 4, "int16": 8}.get(data.dtype)
    return [] if accumulator_bytes is None else [output.elements * accumulator_bytes]


def _svdf(graph: Graph, operator: Operator) -> list[Extent]:
    """svdf_common.cc: one number per filter, and one per unit if quantized."""
    data, features = (operand(graph, operator, i, rank=1) for i in range(2))
    output = result(graph, operator, rank=1)
    batch, filters, units = data.shape[0], features.shape[0], output.shape[-1]
    per_filter = [batch * filters * _INT_BYTES]
    return per_filter + ([batch * units * _INT_BYTES] if data.dtype == "int8" else [])


def _lstm(graph: Graph, operator: Operator) -> list[Extent]:
    """unidirectional_sequence_lstm.cc: four buffers of the size and type of the cell state."""
    cell_state = operand(graph, operator, _LSTM_CELL_STATE)
    return [cell_state.size_bytes] * 4


def _mirror_pad(graph: Graph, operator: Operator) -> list[Extent]:
    """mirror_pad.cc: elements per dimension of output and input."""
    rank = len(operand(graph, operator, 0).shape)
    return [rank * _INT_BYTES] * 2


def _unpacked_weights(graph: Graph, operator: Operator) -> list[Extent]:
    """conv_common.cc, depthwise_conv_common.cc, fully_connected.cc: int4 weights as bytes."""
    weights = operand(graph, operator, 1)
    return [weights.elements] if weights.dtype == "int4" else []


def _rfft(graph: Graph, operator: Operator) -> list[Extent]:
    """signal/micro/kernels/rfft.cc: the input, padded to the length of the transform.

    That length N is in the custom options; the output holds N / 2 + 1 complex numbers.
    """
    output = result(graph, operator, rank=1)
    return [(output.shape[-1] - 2) * (output.bits // 8)]


def _data_and_second(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    return operand(graph, operator, 0), operand(graph, operator, 1)


_RULES: Mapping[str, _Rule] = {
    "MEAN": _mean,
    "SUM": _mean,
    "REDUCE_MAX": _extreme,
    "REDUCE_MIN": _extreme,
    "REDUCE_ALL": _extreme,
    "TRANSPOSE_CONV": _transposed_convolution,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "MIRROR_PAD": _mirror_pad,
    "SignalRfft": _rfft,
    "CONV_2D": _unpacked_weights,
    "DEPTHWISE_CONV_2D": _unpacked_weights,
    "FULLY_CONNECTED": _unpacked_weights,
}
