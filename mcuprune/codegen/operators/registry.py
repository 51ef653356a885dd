"""The operators that have C kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcuprune.codegen.cortex_m4 import addition as quick_addition
from mcuprune.codegen.cortex_m4 import convolution as quick_convolution
from mcuprune.codegen.cortex_m4 import depthwise_convolution as quick_depthwise
from mcuprune.codegen.cortex_m4 import fully_connected as quick_dense
from mcuprune.codegen.cortex_m4 import pooling as quick_pooling
from mcuprune.codegen.fixed_point import MultiplierRangeError
from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import ModelFile, Node, Quantization
from mcuprune.codegen.operators import (
    arithmetic,
    conversion,
    convolution,
    fully_connected,
    movement,
    pooling,
    reduction,
    resizing,
    softmax,
    tables,
    transposed_convolution,
)
from mcuprune.codegen.operators.shapes import require_fitting_shapes
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.graph import Tensor

Rule: TypeAlias = Callable[[Node], tuple[KernelCall, ...]]
_ZERO_POINTS = {"int8": range(-128, 128), "uint8": range(256)}
# Of each operator, in the order of the file.
Calls: TypeAlias = tuple[tuple[KernelCall, ...], ...]

PORTABLE: Mapping[str, Rule] = {
    "ADD": arithmetic.add,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "CONCATENATION": movement.concatenation,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "DEPTH_TO_SPACE": movement.depth_to_space,
    "DEQUANTIZE": conversion.dequantize,
    "ELU": tables.elu,
    "EXPAND_DIMS": movement.reshape,
    "FULLY_CONNECTED": fully_connected.fully_connected,
    "HARD_SWISH": tables.hard_swish,
    "LEAKY_RELU": tables.leaky_relu,
    "LOGISTIC": tables.logistic,
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MEAN": reduction.mean,
    "MUL": arithmetic.mul,
    "PACK": movement.pack,
    "PAD": movement.pad,
    "PADV2": movement.pad,
    "PRELU": arithmetic.prelu,
    "QUANTIZE": conversion.quantize,
    "REDUCE_MAX": reduction.reduce_max,
    "REDUCE_MIN": reduction.reduce_min,
    "RELU": tables.relu,
    "RELU6": tables.relu6,
    "RELU_N1_TO_1": tables.relu_n1_to_1,
    "RESHAPE": movement.reshape,
    "RESIZE_BILINEAR": resizing.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": resizing.resize_nearest_neighbor,
    "SLICE": movement.slice_,
    "SOFTMAX": softmax.softmax,
    "SPLIT": movement.split,
    "SPLIT_V": movement.split_v,
    "SQUEEZE": movement.reshape,
    "STRIDED_SLICE": movement.strided_slice,
    "SUB": arithmetic.sub,
    "SUM": reduction.sum_,
    "TANH": tables.tanh,
    "TRANSPOSE": movement.transpose,
    "TRANSPOSE_CONV": transposed_convolution.transpose_conv,
    "UNPACK": movement.unpack,
}

CORTEX_M4: Mapping[str, Rule] = {
    **PORTABLE,
    "ADD": quick_addition.add,
    "CONV_2D": quick_convolution.conv_2d,
    "DEPTHWISE_CONV_2D": quick_depthwise.depthwise_conv_2d,
    "FULLY_CONNECTED": quick_dense.fully_connected,
    "MAX_POOL_2D": quick_pooling.max_pool_2d,
}


def kernel_calls(model: ModelFile, rules: Mapping[str, Rule]) -> Calls:
    """Return the calls of each operator, in the order of the file.

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
    for index, tensor in enumerate(model.graph.tensors):
        _require_plain(index, tensor)
        _require_sound_scales(index, tensor, model.quantizations[index])
    nodes = [Node(model, operator) for operator in model.graph.operators]
    for node in nodes:
        require_fitting_shapes(node)
    return tuple(_calls(rules[node.operator.kind], node) for node in nodes)


def _calls(rule: Rule, node: Node) -> tuple[KernelCall, ...]:
    try:
        return rule(node)
    except MultiplierRangeError as problem:
        raise UnsupportedModelError(
            f"no C for {node.title}: {problem}. The file is damaged or was quantized with absurd "
            "ranges: convert the model anew"
        ) from None


def _require_plain(index: int, tensor: Tensor) -> None:
    if tensor.is_variable:
        raise UnsupportedModelError(
            f"tensor {index} ({tensor.name!r}) keeps state between invocations, which generated C "
            "does not: use TFLM for this model"
        )
    if tensor.elements == 0 and not tensor.is_constant:
        raise UnsupportedModelError(
            f"tensor {index} ({tensor.name!r}) of shape {tensor.shape} has no elements: export "
            "the model with fixed shapes"
        )


def _require_sound_scales(index: int, tensor: Tensor, quantization: Quantization) -> None:
    """Raise unless scales are positive, and zero points numbers that the tensor could hold."""
    title = f"tensor {index} ({tensor.name!r})"
    if any(scale <= 0 for scale in quantization.scales):
        raise UnsupportedModelError(
            f"{title} has the scale {min(quantization.scales):g}; scales are positive. Convert the "
            "model again"
        )
    limits = _ZERO_POINTS.get(tensor.dtype)
    stray = [zero for zero in quantization.zero_points if limits and zero not in limits]
    if stray:
        raise UnsupportedModelError(
            f"{title} has the zero point {stray[0]}, which no {tensor.dtype} is. Convert the model "
            "again"
        )
