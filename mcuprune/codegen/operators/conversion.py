"""QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.tables import requantize


def quantize(node: Node) -> tuple[KernelCall, ...]:
    """QUANTIZE from float32 to int8, or between int8 and uint8."""
    if node.input().dtype != "float32":
        return requantize(node)
    node.require(node.output().dtype == "int8", f"its output is {node.output().dtype}, not int8")
    return _converted(node, "quantize", *_scale(node, node.operator.outputs[0]))


def dequantize(node: Node) -> tuple[KernelCall, ...]:
    """DEQUANTIZE from int8 to float32."""
    types = (node.input().dtype, node.output().dtype)
    node.require(types == ("int8", "float32"), f"it converts {types[0]} to {types[1]}")
    return _converted(node, "dequantize", *_scale(node, node.operator.inputs[0]))


def _scale(node: Node, tensor: int) -> tuple[float, int]:
    quantization = node.model.quantizations[tensor]
    node.require(len(quantization.scales) == 1, "scales per channel")
    return quantization.scale, quantization.zero_point


def _converted(node: Node, kernel: str, scale: float, zero_point: int) -> tuple[KernelCall, ...]:
    call = KernelCall(
        kernel,
        node.operator.inputs,
        node.operator.outputs,
        {"count": int(node.input().elements), "zero_point": zero_point, "scale": float(scale)},
        header="float_conversion",
    )
    return (call,)
