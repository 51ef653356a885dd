"""Functions of one int8 number: a table of 256 results each, computed here as TFLM does."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mcuprune.codegen import fixed_point
from mcuprune.codegen.fixed_point import quantized_multiplier, rounding_shift
from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node, Quantization
from mcuprune.codegen.requantization import INT8_MAX, INT8_MIN, require_one_scale

# Integer bits of what LOGISTIC and TANH take: logistic_common.cc, tanh.cc.
_INTEGER_BITS = 4


def relu(node: Node) -> tuple[KernelCall, ...]:
    """RELU, rescaled: activations_common.cc."""
    return _relu(node, 0.0, None)


def relu_n1_to_1(node: Node) -> tuple[KernelCall, ...]:
    """RELU_N1_TO_1, as LiteRT has it; TFLM has none."""
    return _relu(node, -1.0, 1.0)


def relu6(node: Node) -> tuple[KernelCall, ...]:
    """RELU6: clipped on the input's scale, as TFLM does; LiteRT rescales."""
    source = _checked(node)
    six = source.zero_point + _rounded(np.float32(6) / np.float32(source.scale))
    node.require(six <= INT8_MAX, f"6 is stored as {six}, which TFLM refuses, too")
    return _looked_up(node, lambda value: min(max(value, source.zero_point), six))


def leaky_relu(node: Node) -> tuple[KernelCall, ...]:
    """LEAKY_RELU: leaky_relu.h; scales are divided as float32."""
    source, target = _checked(node), node.output_quantization()
    ratio = np.float32(source.scale) / np.float32(target.scale)
    product = np.float32(source.scale) * np.float32(node.option("alpha"))
    steep = float(product / np.float32(target.scale))
    positive, negative = quantized_multiplier(float(ratio)), quantized_multiplier(abs(steep))

    def function(value: int) -> int:
        difference = value - source.zero_point
        if difference >= 0:
            return target.zero_point + positive.apply(difference)
        scaled = negative.apply(difference)
        return target.zero_point + (-scaled if steep < 0 else scaled)

    return _looked_up(node, function)


def logistic(node: Node) -> tuple[KernelCall, ...]:
    """LOGISTIC: integer_ops/logistic.h."""
    node.require(node.output_quantization().zero_point == INT8_MIN, "its zero point is not -128")
    return _looked_up(node, lambda value: _logistic_of(node, value))


def tanh(node: Node) -> tuple[KernelCall, ...]:
    """TANH: integer_ops/tanh.h."""
    return _looked_up(node, lambda value: _tanh_of(node, value))


def elu(node: Node) -> tuple[KernelCall, ...]:
    """ELU: elu.cc, in float32 while the table is made."""
    source, target = _checked(node), node.output_quantization()
    inverse = np.float32(1) / np.float32(target.scale)

    def function(value: int) -> int:
        real = np.float32(source.scale) * np.float32(value - source.zero_point)
        curved = real if real >= 0 else np.exp(real) - np.float32(1)
        return _rounded(curved * inverse) + target.zero_point

    return _looked_up(node, function)


def hard_swish(node: Node) -> tuple[KernelCall, ...]:
    """HARD_SWISH: hard_swish.h, in int16."""
    source, target = _checked(node), node.output_quantization()
    fine = np.float32(1 / 128) * np.float32(source.scale)
    output = quantized_multiplier(float(fine / np.float32(target.scale)))
    reluish = quantized_multiplier(float(fine / np.float32(3.0 / 32768.0)))
    node.require(output.shift <= 0, "its output's scale is smaller than TFLM's kernel takes")

    def function(value: int) -> int:
        raised = (value - source.zero_point) * 128
        scaled = _high_product16(raised, _int16_factor(output.factor))
        share = _reluish(raised, _int16_factor(reluish.factor), reluish.shift)
        # Truncated, not rounded, to cancel the bias of the products before.
        product = math.trunc(share * scaled / 2**15)
        return rounding_shift(product, -output.shift) + target.zero_point

    return _looked_up(node, function)


def requantize(node: Node) -> tuple[KernelCall, ...]:
    """QUANTIZE between int8 and uint8: requantize.h."""
    node.require_types("int8", "uint8")
    require_one_scale(node)
    source, target = node.input_quantization(), node.output_quantization()
    multiplier = quantized_multiplier(source.scale / target.scale)
    return _looked_up(
        node, lambda value: multiplier.apply(value - source.zero_point) + target.zero_point
    )


def _checked(node: Node) -> Quantization:
    node.require_types("int8")
    require_one_scale(node)
    return node.input_quantization()


def _relu(node: Node, least: float, most: float | None) -> tuple[KernelCall, ...]:
    source, target = _checked(node), node.output_quantization()
    ratio = np.float32(source.scale) / np.float32(target.scale)
    multiplier = quantized_multiplier(float(ratio))

    def stored(real: float) -> int:
        return target.zero_point + _rounded(np.float32(real) / np.float32(target.scale))

    low, high = stored(least), INT8_MAX if most is None else stored(most)

    def function(value: int) -> int:
        scaled = target.zero_point + multiplier.apply(value - source.zero_point)
        return min(max(scaled, low), high)

    return _looked_up(node, function)


def _logistic_of(node: Node, value: int) -> int:
    source = _checked(node)
    multiplier = quantized_multiplier(source.scale * (1 << (31 - _INTEGER_BITS)))
    difference, radius = value - source.zero_point, _radius(multiplier.shift)
    if abs(difference) >= radius:
        return INT8_MIN if difference < 0 else INT8_MAX
    return rounding_shift(fixed_point.logistic(multiplier.apply(difference)), 23) + INT8_MIN


def _tanh_of(node: Node, value: int) -> int:
    source = _checked(node)
    multiplier = quantized_multiplier(source.scale * (1 << (31 - _INTEGER_BITS)))
    difference, radius = value - source.zero_point, _radius(multiplier.shift)
    if abs(difference) >= radius:
        return INT8_MIN if difference < 0 else INT8_MAX
    return rounding_shift(fixed_point.tanh(multiplier.apply(difference)), 24)


def _radius(shift: int) -> int:
    """CalculateInputRadius in quantization_util.cc, for 31 bits and a number other than 0."""
    return math.floor(((1 << _INTEGER_BITS) - 1) * 2.0 ** (31 - _INTEGER_BITS) / 2.0**shift)


def _rounded(value: np.float32) -> int:
    """Return the nearest whole number; halves go away from zero."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))


def _int16_factor(factor: int) -> int:
    """DownScaleInt32ToInt16Multiplier in common.h."""
    return 2**15 - 1 if factor >= 2**31 - 1 - 2**15 else (factor + 2**15) >> 16


def _saturated16(value: int) -> int:
    return min(max(value, -(2**15)), 2**15 - 1)


def _high_product16(one: int, other: int) -> int:
    return _saturated16((one * other + 2**14) >> 15)


def _reluish(raised: int, factor: int, shift: int) -> int:
    """Return the input scaled from [-3, 3] to [0, 1], saturated, with 15 fraction bits."""
    value = _saturated16(raised << max(shift - 1, 0))
    value = _high_product16(value, factor)
    if shift > 0:
        value = _saturated16(value << 1)
    return (rounding_shift(value, max(-shift, 0)) + 2**15) >> 1


_RANGES = {"int8": range(INT8_MIN, INT8_MAX + 1), "uint8": range(256)}


def _looked_up(node: Node, function: Callable[[int], int]) -> tuple[KernelCall, ...]:
    """Return a lookup of each byte; the table is in the order of unsigned bytes."""
    node.require_types("int8", "uint8")
    require_one_scale(node)
    source, target = _RANGES[node.input().dtype], _RANGES[node.output().dtype]
    table = np.zeros(256, np.uint8)
    for value in source:
        table[value % 256] = min(max(function(value), target[0]), target[-1]) % 256
    call = KernelCall(
        "lookup",
        node.operator.inputs[:1],
        node.operator.outputs,
        {"count": int(node.input().elements), "table": table},
    )
    return (call,)
