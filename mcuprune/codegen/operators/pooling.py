"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.convolution import window_parameters
from mcuprune.codegen.requantization import activation_limits, require_one_scale


def average_pool_2d(node: Node) -> tuple[KernelCall, ...]:
    """AVERAGE_POOL_2D; padding does not count."""
    return _pool(node, "average_pool_2d")


def max_pool_2d(node: Node) -> tuple[KernelCall, ...]:
    """MAX_POOL_2D."""
    return _pool(node, "max_pool_2d")


def _pool(node: Node, kernel: str) -> tuple[KernelCall, ...]:
    node.require_types("int8")
    node.require_picture()
    require_one_scale(node)
    node.require(
        node.input_quantization() == node.output_quantization(),
        "input and output have different scales or zero points, which TFLM refuses, too",
    )
    window = window_parameters(node, (node.option("filter_h"), node.option("filter_w")))
    for unused in ("dilation_height", "dilation_width"):
        del window[unused]
    call = KernelCall(
        kernel,
        node.operator.inputs,
        node.operator.outputs,
        {**window, **activation_limits(node).to_parameters()},
        header="pool_2d",
    )
    return (call,)
