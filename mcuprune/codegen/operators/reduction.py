"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN."""

from __future__ import annotations

import math

from mcuprune.codegen.fixed_point import Multiplier, quantized_multiplier
from mcuprune.codegen.kernel_call import KernelCall, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.loops import Loop, loop_parameters, row_steps
from mcuprune.codegen.requantization import require_one_scale

_LOOPS = 4


def mean(node: Node) -> tuple[KernelCall, ...]:
    """MEAN: the number of elements is divided out of the multiplier."""
    return _sum(node, _divided(_ratio(node), _count(node)))


def sum_(node: Node) -> tuple[KernelCall, ...]:
    """SUM."""
    return _sum(node, _ratio(node))


def reduce_max(node: Node) -> tuple[KernelCall, ...]:
    """REDUCE_MAX."""
    return _extreme(node, "reduce_max")


def reduce_min(node: Node) -> tuple[KernelCall, ...]:
    """REDUCE_MIN."""
    return _extreme(node, "reduce_min")


def _axes(node: Node) -> set[int]:
    rank = len(node.input_shape())
    return {int(axis) % rank for axis in node.constant(1).ravel()}


def _count(node: Node) -> int:
    return math.prod(node.input_shape()[axis] for axis in _axes(node))


def _ratio(node: Node) -> Multiplier:
    node.require_types("int8")
    require_one_scale(node)
    return quantized_multiplier(node.input_quantization().scale / node.output_quantization().scale)


def _divided(multiplier: Multiplier, count: int) -> Multiplier:
    """QuantizedMeanOrSum in reference/reduce.h."""
    shift = min(count.bit_length() - 1, 32, 31 + multiplier.shift)
    return Multiplier((multiplier.factor << shift) // count, multiplier.shift - shift)


def _sum(node: Node, multiplier: Multiplier) -> tuple[KernelCall, ...]:
    return _reduced(
        node,
        "reduce_sum",
        {
            "sum_offset": -node.input_quantization().zero_point * _count(node),
            "output_offset": node.output_quantization().zero_point,
            "factor": multiplier.factor,
            "shift": multiplier.shift,
        },
    )


def _extreme(node: Node, kernel: str) -> tuple[KernelCall, ...]:
    node.require_types("int8")
    node.require(
        node.input_quantization() == node.output_quantization(),
        "input and output have different scales or zero points, which TFLM refuses, too",
    )
    return _reduced(node, kernel, {})


def _reduced(node: Node, kernel: str, parameters: dict[str, Parameter]) -> tuple[KernelCall, ...]:
    shape, axes = node.input_shape(), _axes(node)
    loops = [Loop(size, (step,)) for size, step in zip(shape, row_steps(shape), strict=True)]
    kept = [loop for axis, loop in enumerate(loops) if axis not in axes]
    gone = [loop for axis, loop in enumerate(loops) if axis in axes]
    call = KernelCall(
        kernel,
        node.operator.inputs[:1],
        node.operator.outputs,
        {
            **loop_parameters(node, kept, _LOOPS, ("kept_steps",), "kept_sizes"),
            **loop_parameters(node, gone, _LOOPS, ("reduced_steps",), "reduced_sizes"),
            **parameters,
        },
        header="reduce",
    )
    return (call,)
