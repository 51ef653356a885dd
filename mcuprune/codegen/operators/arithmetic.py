"""ADD, SUB and MUL, with broadcasting."""

from __future__ import annotations

from mcuprune.codegen.fixed_point import Multiplier, quantized_multiplier
from mcuprune.codegen.kernel_call import KernelCall, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.requantization import activation_limits, require_one_scale

# Room for fractions of int8 sums: add_common.cc.
_LEFT_SHIFT = 20


def add(node: Node) -> KernelCall:
    """ADD."""
    return _sum(node, "add")


def sub(node: Node) -> KernelCall:
    """SUB: the sum with the negative of the second input."""
    return _sum(node, "sub")


def _sum(node: Node, kernel: str) -> KernelCall:
    _check(node)
    one, other = (node.input_quantization(place).scale for place in (0, 1))
    twice_largest = 2 * max(one, other)
    output = twice_largest / ((1 << _LEFT_SHIFT) * node.output_quantization().scale)
    return _elementwise(
        node,
        kernel,
        {
            **_multiplier("input1", quantized_multiplier(one / twice_largest)),
            **_multiplier("input2", quantized_multiplier(other / twice_largest)),
            **_multiplier("output", quantized_multiplier(output)),
        },
    )


def mul(node: Node) -> KernelCall:
    """MUL."""
    _check(node)
    product = node.input_quantization(0).scale * node.input_quantization(1).scale
    real = product / node.output_quantization().scale
    return _elementwise(node, "mul", _multiplier("output", quantized_multiplier(real)))


def _check(node: Node) -> None:
    node.require_types("int8", inputs=2)
    require_one_scale(node, inputs=2)


def _elementwise(node: Node, kernel: str, multipliers: dict[str, Parameter]) -> KernelCall:
    sizes, one, other = _loops(node)
    return KernelCall(
        kernel,
        node.operator.inputs,
        node.operator.outputs,
        {
            "sizes": sizes,
            "input1_steps": one,
            "input2_steps": other,
            "input1_offset": -node.input_quantization(0).zero_point,
            "input2_offset": -node.input_quantization(1).zero_point,
            "output_offset": node.output_quantization().zero_point,
            **multipliers,
            **activation_limits(node).to_parameters(),
        },
        header="arithmetic",
    )


def _multiplier(name: str, multiplier: Multiplier) -> dict[str, Parameter]:
    return {f"{name}_factor": multiplier.factor, f"{name}_shift": multiplier.shift}


_LOOPS = 4


def _loops(node: Node) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return sizes and steps of nested loops, outermost first; axes that run alike are one."""
    output = node.output_shape()
    steps = [_steps(node.input_shape(place), output) for place in (0, 1)]
    loops: list[tuple[int, int, int]] = []
    for size, one, other in zip(output, *steps, strict=True):
        if size == 1:
            continue
        if loops and all(
            outer == size * inner for outer, inner in zip(loops[-1][1:], (one, other), strict=True)
        ):
            loops[-1] = (loops[-1][0] * size, one, other)
        else:
            loops.append((size, one, other))
    node.require(len(loops) <= _LOOPS, f"it broadcasts along more than {_LOOPS} groups of axes")
    loops = [(1, 0, 0)] * (_LOOPS - len(loops)) + loops
    sizes, one_steps, other_steps = zip(*loops, strict=True)
    return sizes, one_steps, other_steps


def _steps(shape: tuple[int, ...], output: tuple[int, ...]) -> list[int]:
    """Return how far an input moves per axis of the output; 0 where it is repeated."""
    padded = (1,) * (len(output) - len(shape)) + shape
    steps, step = [], 1
    for size in reversed(padded):
        steps.append(0 if size == 1 else step)
        step *= size
    return steps[::-1]
