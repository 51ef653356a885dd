"""ADD, SUB, MUL and PRELU, with broadcasting."""

from __future__ import annotations

from mcuprune.codegen.fixed_point import Multiplier, quantized_multiplier
from mcuprune.codegen.kernel_call import KernelCall, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.loops import Loop, broadcast_steps, loop_parameters
from mcuprune.codegen.requantization import (
    INT8_MAX,
    INT8_MIN,
    Limits,
    activation_limits,
    require_one_scale,
)

# Room for fractions of int8 sums: add_common.cc.
LEFT_SHIFT = 20
# Of the input of the larger scale.
ONE_HALF = Multiplier(2**30, 0)
_LOOPS = 4
_UNUSED = Multiplier(0, 0)


def add(node: Node) -> tuple[KernelCall, ...]:
    """ADD."""
    return _sum(node, "add")


def sub(node: Node) -> tuple[KernelCall, ...]:
    """SUB."""
    return _sum(node, "sub")


def mul(node: Node) -> tuple[KernelCall, ...]:
    """MUL."""
    product = _scale(node, 0) * _scale(node, 1) / node.output_quantization().scale
    limits = activation_limits(node)
    return _elementwise(node, "mul", (_UNUSED, _UNUSED, quantized_multiplier(product)), limits)


def prelu(node: Node) -> tuple[KernelCall, ...]:
    """PRELU: inputs below zero times alpha."""
    target = node.output_quantization().scale
    positive = quantized_multiplier(_scale(node, 0) / target)
    negative = quantized_multiplier(_scale(node, 0) * _scale(node, 1) / target)
    limits = Limits(INT8_MIN, INT8_MAX)
    return _elementwise(node, "prelu", (positive, _UNUSED, negative), limits)


def sum_multipliers(node: Node) -> tuple[Multiplier, Multiplier, Multiplier]:
    """Return the multipliers of both inputs and of the sum.

    Raises:
        UnsupportedModelError: Not int8, or not one scale for each tensor.
    """
    one, other = _scale(node, 0), _scale(node, 1)
    twice_largest = 2 * max(one, other)
    output = twice_largest / ((1 << LEFT_SHIFT) * node.output_quantization().scale)
    return (
        quantized_multiplier(one / twice_largest),
        quantized_multiplier(other / twice_largest),
        quantized_multiplier(output),
    )


def _sum(node: Node, kernel: str) -> tuple[KernelCall, ...]:
    return _elementwise(node, kernel, sum_multipliers(node), activation_limits(node))


def _scale(node: Node, place: int) -> float:
    node.require_types("int8", inputs=2)
    require_one_scale(node, inputs=2)
    return node.input_quantization(place).scale


def _elementwise(
    node: Node, kernel: str, multipliers: tuple[Multiplier, ...], limits: Limits
) -> tuple[KernelCall, ...]:
    output = node.output_shape()
    steps = [broadcast_steps(node.input_shape(place), output) for place in (0, 1)]
    loops = [Loop(size, pair) for size, pair in zip(output, zip(*steps, strict=True), strict=True)]
    scaling: dict[str, Parameter] = {}
    for name, multiplier in zip(("input1", "input2", "output"), multipliers, strict=True):
        scaling[f"{name}_factor"] = multiplier.factor
        scaling[f"{name}_shift"] = multiplier.shift
    call = KernelCall(
        kernel,
        node.operator.inputs,
        node.operator.outputs,
        {
            **loop_parameters(node, loops, _LOOPS, ("input1_steps", "input2_steps")),
            "input1_offset": -node.input_quantization(0).zero_point,
            "input2_offset": -node.input_quantization(1).zero_point,
            "output_offset": node.output_quantization().zero_point,
            **scaling,
            **limits.to_parameters(),
        },
        header="arithmetic",
    )
    return (call,)
