"""Plain loops over outputs and taps, as TFLM's reference kernels run them on any core.

Read from tensorflow/lite/kernels/internal/reference of tflite-micro 90b983c. Kernels that are no
sums of products are counted by the elements that they read and write; what an element takes is in
the tables, by kind of operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost.loops import Loops
from mcuprune.cost.operands import operand, result
from mcuprune.cost.windows import Windows, convolution_windows, pooling_windows
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator, Tensor

_Rule: TypeAlias = Callable[[Graph, Operator], Mapping[str, Extent]]

# Their inputs are copied as they are, or not at all if planned in place.
_COPIES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
# Position of the data among the inputs, where it is not the first.
_DATA = {"TRANSPOSE_CONV": 2, "SPLIT": 1}


def plain_loops(graph: Graph, operator: Operator) -> Loops:
    """Return the loops of an operator of any kind and type.

    Args:
        graph: A graph, its widths known or open.
        operator: One of its operators.
    """
    rule = _RULES.get(operator.kind, _by_elements)
    return Loops(_kernel_name(graph, operator), rule(graph, operator))


def _kernel_name(graph: Graph, operator: Operator) -> str:
    """Return ``KIND``, the type, and whether operands are broadcast: each a kernel of its own."""
    kind = "COPY" if operator.kind in _COPIES else operator.kind
    data = operand(graph, operator, _DATA.get(operator.kind, 0))
    name = f"{kind.lower()}_{data.dtype}"
    if operator.kind in _BROADCASTING and _is_broadcast(graph, operator):
        return f"{name}_broadcast"
    return name


def _is_broadcast(graph: Graph, operator: Operator) -> bool:
    shapes = [graph.tensors[index].shape for index in operator.inputs[:2]]
    return len(set(shapes)) > 1


_BROADCASTING = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "DIV", "SQUARED_DIFFERENCE")


def _convolution(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """conv.h: every output visits every tap and skips those outside of the input."""
    windows, weights = convolution_windows(graph, operator), operand(graph, operator, 1)
    return _window_counts(windows, result(graph, operator).shape[-1], weights.shape[-1])


def _depthwise(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """depthwiseconv_float.h, depthwise_conv.h: one channel for all taps."""
    windows = convolution_windows(graph, operator)
    return _window_counts(windows, result(graph, operator).shape[-1], 1)


def _window_counts(windows: Windows, channels: Extent, inner: Extent) -> Mapping[str, Extent]:
    return {
        "position": windows.positions,
        "output": windows.positions * channels,
        "tap": windows.taps * channels,
        "tap_inside": windows.taps_inside * channels,
        "product": windows.taps_inside * channels * inner,
    }


def _transposed_convolution(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """transpose_conv.h: every input element is spread over the taps of all outputs."""
    weights = operand(graph, operator, 1, rank=4, exactly=True)
    data = operand(graph, operator, 2, rank=4)
    outputs, height, width = weights.shape[:3]
    spread = data.elements * height * width
    return {
        "output": result(graph, operator).elements,
        "input": data.elements,
        "tap": spread,
        "product": spread * outputs,
    }


def _fully_connected(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """fully_connected.h."""
    weights, output = operand(graph, operator, 1, rank=2), result(graph, operator)
    return {"output": output.elements, "product": output.elements * weights.shape[-1]}


def _batch_matmul(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """batch_matmul.h: products of rows and columns."""
    left, output = operand(graph, operator, 0, rank=2), result(graph, operator)
    inner = left.shape[-2] if operator.attributes.get("adj_x") else left.shape[-1]
    return {
        "input": left.elements,
        "output": output.elements,
        "product": output.elements * inner,
    }


def _pool(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """pooling.h."""
    windows, channels = pooling_windows(graph, operator), result(graph, operator).shape[-1]
    return {
        "output": windows.positions * channels,
        "tap_inside": windows.taps_inside * channels,
        "tap_row": windows.rows_inside * windows.columns * channels,
    }


def _softmax(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """softmax.h: rows of the last axis."""
    data = operand(graph, operator, 0, rank=1)
    return {"row": _rows(data), "output": data.elements}


def _by_elements(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """Elements read, written, and runs of elements along the last axis."""
    read = [t for t in graph.input_tensors(operator) if not t.is_constant]
    written = graph.output_tensors(operator)
    return {
        "input": sum(tensor.elements for tensor in read),
        "output": sum(tensor.elements for tensor in written),
        "input_row": sum(_rows(tensor) for tensor in read),
        "output_row": sum(_rows(tensor) for tensor in written),
    }


def _concatenation(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    """concatenation.h: every input is copied in pieces that go up to the end of its shape."""
    output = result(graph, operator, rank=1)
    axis = int(operator.attributes.get("axis", -1)) % len(output.shape)
    pieces: Extent = len(operator.inputs)
    for extent in output.shape[:axis]:
        pieces = pieces * extent
    return {"input": len(operator.inputs), "piece": pieces, "byte": output.size_bytes}


def _copy(graph: Graph, operator: Operator) -> Mapping[str, Extent]:
    return {"byte": result(graph, operator).size_bytes}


def _rows(tensor: Tensor) -> Extent:
    count: Extent = 1
    for extent in tensor.shape[:-1]:
        count = count * extent
    return count


_RULES: Mapping[str, _Rule] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "SOFTMAX": _softmax,
    "CONCATENATION": _concatenation,
    **dict.fromkeys(_COPIES, _copy),
}
