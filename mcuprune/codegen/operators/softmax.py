"""SOFTMAX."""

from __future__ import annotations

import math

import numpy as np

from mcuprune.codegen.fixed_point import (
    doubling_high_product,
    exp_of_negative,
    quantized_multiplier,
    wrapped,
)
from mcuprune.codegen.kernel_call import KernelCall, Numbers
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.requantization import require_one_scale

# Of the difference to the largest input, in softmax_common.cc.
_INTEGER_BITS = 5
_UNIT = 1 << (31 - _INTEGER_BITS)


def softmax(node: Node) -> tuple[KernelCall, ...]:
    """SOFTMAX over the last axis; exponentials of all differences are a table in flash."""
    node.require_types("int8")
    require_one_scale(node)
    quantization = node.output_quantization()
    node.require(
        quantization.scale == 1 / 256 and quantization.zero_point == -128,
        f"its output has scale {quantization.scale:g} and zero point {quantization.zero_point}; "
        "TFLM's kernel takes 1/256 and -128",
    )
    scale = node.input_quantization().scale
    node.require(
        node.option("beta") * scale * _UNIT > 1,
        f"beta {node.option('beta'):g} times the scale {scale:g} of its input is less than TFLM's "
        f"kernel takes, {1 / _UNIT:g}",
    )
    depth = node.input_shape()[-1]
    table = exponentials(scale, node.option("beta"))
    call = KernelCall(
        "softmax",
        node.operator.inputs,
        node.operator.outputs,
        {
            "rows": int(node.input().elements) // depth,
            "depth": depth,
            "exponential_count": len(table),
            "exponentials": table,
        },
    )
    return (call,)


def exponentials(scale: float, beta: float) -> Numbers:
    """Return exp(-difference) for each difference that counts, no integer bits, int32.

    Sources: PreprocessSoftmaxScaling and CalculateInputRadius in quantization_util.cc, Softmax in
    reference/softmax.h. Larger differences make an output of 0.

    Args:
        scale: Of the input.
        beta: Factor of the input.
    """
    real = min(beta * scale * _UNIT, 2.0**31 - 1)
    multiplier = quantized_multiplier(real)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * _UNIT / (1 << multiplier.shift))
    differences = range(min(radius, 255) + 1)
    scaled = (
        doubling_high_product(wrapped(-difference << multiplier.shift), multiplier.factor)
        for difference in differences
    )
    return np.array([exp_of_negative(value) for value in scaled], np.int32)
