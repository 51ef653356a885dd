"""Multiply-accumulates per inference, by operator.

Counted are the multiplications of a kernel with its accumulation, padding included, bias and
requantization not: the number that MLPerf Tiny and most papers call MACs. Operators without
such a product (pooling, add, softmax) count 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.cost.operands import operand, result
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator, Tensor

_Rule: TypeAlias = Callable[[Graph, Operator], Extent]


def total_macs(graph: Graph) -> Extent:
    """Return the MACs of one inference, an open number for a graph with open widths."""
    return sum(operator_macs(graph, operator) for operator in graph.operators)


def operator_macs(graph: Graph, operator: Operator) -> Extent:
    """Return the MACs of one operator.

    Args:
        graph: A graph, its widths known or open.
        operator: One of its operators.

    Raises:
        InputError: The operator lacks a tensor that its kind needs.
    """
    rule = _RULES.get(operator.kind)
    return 0 if rule is None else rule(graph, operator)


def _convolution(graph: Graph, operator: Operator) -> Extent:
    """Let every kernel element meet every output position once."""
    weights, output = operand(graph, operator, 1, rank=1), result(graph, operator)
    return _positions(output) * weights.elements


def _transposed_convolution(graph: Graph, operator: Operator) -> Extent:
    """Every kernel element meets every input position once; inputs are shape, weights, data."""
    weights, data = operand(graph, operator, 1), operand(graph, operator, 2)
    return _positions(data) * weights.elements


def _fully_connected(graph: Graph, operator: Operator) -> Extent:
    """Each output element is a product over the inner dimension of the weights ``(out, in)``."""
    weights, output = operand(graph, operator, 1, rank=1), result(graph, operator)
    return output.elements * weights.shape[-1]


def _batch_matmul(graph: Graph, operator: Operator) -> Extent:
    left, output = operand(graph, operator, 0, rank=2), result(graph, operator)
    inner = left.shape[-2] if operator.attributes.get("adj_x") else left.shape[-1]
    return output.elements * inner


def _svdf(graph: Graph, operator: Operator) -> Extent:
    """Run a feature filter per step, then a filter over the time memory."""
    data, features, times = (operand(graph, operator, i, rank=1) for i in range(3))
    return data.shape[0] * (features.elements + times.elements)


def _lstm(graph: Graph, operator: Operator) -> Extent:
    """Every weight matrix is applied once per time step; then three products per cell."""
    data, output = operand(graph, operator, 0), result(graph, operator)
    matrices = [t for t in graph.input_tensors(operator) if t.is_constant and len(t.shape) == 2]
    steps = math.prod(data.shape[:2])
    return steps * sum(t.elements for t in matrices) + 3 * output.elements


def _positions(tensor: Tensor) -> Extent:
    """Elements without the channels: batch, height, width."""
    count: Extent = 1
    for dim in tensor.shape[:-1]:
        count = count * dim
    return count


_RULES: Mapping[str, _Rule] = {
    "CONV_2D": _convolution,
    "CONV_3D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "TRANSPOSE_CONV": _transposed_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
