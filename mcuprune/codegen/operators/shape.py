"""Operators that move bytes: RESHAPE and its like."""

from __future__ import annotations

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node


def reshape(node: Node) -> KernelCall:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes; copied only to another place."""
    return KernelCall("", node.operator.inputs[:1], node.operator.outputs)
