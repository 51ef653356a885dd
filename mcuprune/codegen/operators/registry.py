"""The operators that have C kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import ModelFile, Node
from mcuprune.codegen.operators import (
    arithmetic,
    convolution,
    fully_connected,
    pooling,
    shape,
    softmax,
)
from mcuprune.errors import UnsupportedModelError

Rule: TypeAlias = Callable[[Node], KernelCall]

PORTABLE: Mapping[str, Rule] = {
    "ADD": arithmetic.add,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "EXPAND_DIMS": shape.reshape,
    "FULLY_CONNECTED": fully_connected.fully_connected,
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MUL": arithmetic.mul,
    "RESHAPE": shape.reshape,
    "SOFTMAX": softmax.softmax,
    "SQUEEZE": shape.reshape,
    "SUB": arithmetic.sub,
}


def kernel_calls(model: ModelFile, rules: Mapping[str, Rule]) -> tuple[KernelCall, ...]:
    """Return the call of each operator, in the order of the file.

    Args:
        model: The model.
        rules: What to call for each kind.

    Raises:
        UnsupportedModelError: Operators have no kernel (all are named, with their indices), or one
            has a form that its kernel does not take.
    """
    unknown = [
        f"{operator.index} ({operator.kind})"
        for operator in model.graph.operators
        if operator.kind not in rules
    ]
    if unknown:
        raise UnsupportedModelError(
            f"no C for these operators of {model.graph.name}: {', '.join(unknown)}. "
            f"Known: {', '.join(sorted(rules))}. Replace the layers they come from"
        )
    for index in range(len(model.graph.tensors)):
        if model.graph.tensors[index].is_variable:
            raise UnsupportedModelError(
                f"tensor {index} ({model.graph.tensors[index].name!r}) keeps state between "
                "invocations, which generated C does not: use TFLM for this model"
            )
    return tuple(rules[op.kind](Node(model, op)) for op in model.graph.operators)
