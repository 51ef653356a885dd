"""Convolutions over shapes, strides, paddings, dilations, scales and saturation."""

import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from operator_checks import BATCH, require_equal_to_tflm, some_batches
from operator_files import Case, Data, constant, operators_file

from mcuprune.codegen import generate

ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
SAME, VALID = 0, 1

zero_points = st.integers(-128, 127)


@st.composite
def extents(draw, most_window=4):
    """Window, stride, dilation, and an input that the window fits."""
    window = draw(st.integers(1, most_window))
    stride, dilation = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 1, 2]))
    source = (window - 1) * dilation + draw(st.integers(1, 9))
    return window, stride, dilation, source


def target_extent(padding, window, stride, dilation, source):
    if padding == SAME:
        return -(-source // stride)
    return (source - (window - 1) * dilation - 1) // stride + 1


def weight_numbers(chance, shape):
    """Weights of a training, and now and then only the largest."""
    if chance.random() < 0.2:
        return chance.choice([-127, 127], shape).astype(np.int8)
    return chance.integers(-127, 128, shape).astype(np.int8)


@st.composite
def convolutions(draw, kind):
    window_h, stride_h, dilation_h, height = draw(extents())
    window_w, stride_w, dilation_w, width = draw(extents())
    padding = draw(st.sampled_from([SAME, VALID]))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "CONV_2D":
        groups = draw(st.sampled_from([1, 1, 1, 2, 4]))
        depth = draw(st.integers(1, 9)) * groups
        channels = draw(st.integers(1, 7)) * groups
        shape, axis, options = (channels, window_h, window_w, depth // groups), 0, {}
    else:
        depth, multiplier = draw(st.integers(1, 9)), draw(st.integers(1, 3))
        channels = depth * multiplier
        shape, axis = (1, window_h, window_w, channels), 3
        options = {"depthMultiplier": multiplier}
    taps = int(np.prod(shape)) // channels
    scales = chance.uniform(0.001, 0.05, channels if draw(st.booleans()) else 1)
    source_scale = draw(st.sampled_from([0.02, 0.5]))
    # From outputs that hardly change to such that saturate.
    spread = draw(st.sampled_from([0.1, 1.0, 4.0]))
    target_scale = float(source_scale * scales.mean() * 70 * taps**0.5 / spread)
    bias_scale = draw(st.sampled_from([100, 10_000, 1_000_000]))
    bias = chance.integers(-bias_scale, bias_scale + 1, channels)
    sizes = [
        target_extent(padding, *extent)
        for extent in (
            (window_h, stride_h, dilation_h, height),
            (window_w, stride_w, dilation_w, width),
        )
    ]
    options |= {
        "padding": padding,
        "strideH": stride_h,
        "strideW": stride_w,
        "dilationHFactor": dilation_h,
        "dilationWFactor": dilation_w,
        "fusedActivationFunction": ACTIVATIONS[draw(st.sampled_from([*ACTIVATIONS]))],
    }
    weights = constant(weight_numbers(chance, shape), "int8", scales, axis=axis)
    bias_scales = tuple(source_scale * scales)
    inputs = (
        Data((1, height, width, depth), (source_scale,), draw(zero_points)),
        weights,
        constant(bias, "int32", bias_scales),
    )
    output = Data((1, *sizes, channels), (target_scale,), draw(zero_points))
    table = "Conv2DOptions" if kind == "CONV_2D" else "DepthwiseConv2DOptions"
    return Case(kind, inputs, (output,), (table, options))


@some_batches(3)
@given(st.lists(convolutions("CONV_2D"), min_size=BATCH, max_size=BATCH))
def test_conv_2d(cases):
    require_equal_to_tflm(cases)


@some_batches(3)
@given(st.lists(convolutions("DEPTHWISE_CONV_2D"), min_size=BATCH, max_size=BATCH))
def test_depthwise_conv_2d(cases):
    require_equal_to_tflm(cases)


@st.composite
def dense_layers(draw):
    rows, depth, channels = (draw(st.integers(1, most)) for most in (3, 40, 11))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scales = chance.uniform(0.001, 0.05, channels if draw(st.booleans()) else 1)
    spread = draw(st.sampled_from([0.1, 1.0, 4.0]))
    target_scale = float(0.1 * scales.mean() * 70 * depth**0.5 / spread)
    inputs = [
        Data((1, rows, depth), (0.1,), draw(zero_points)),
        constant(weight_numbers(chance, (channels, depth)), "int8", scales),
    ]
    if draw(st.booleans()):
        bias = chance.integers(-10_000, 10_001, channels)
        inputs.append(constant(bias, "int32", tuple(0.1 * scales)))
    output = Data((1, rows, channels), (target_scale,), draw(zero_points))
    activation = ACTIVATIONS[draw(st.sampled_from([*ACTIVATIONS]))]
    fields = {"fusedActivationFunction": activation, "keepNumDims": True}
    options = ("FullyConnectedOptions", fields)
    return Case("FULLY_CONNECTED", tuple(inputs), (output,), options)


@some_batches(3)
@given(st.lists(dense_layers(), min_size=BATCH, max_size=BATCH))
def test_fully_connected(cases):
    require_equal_to_tflm(cases)


@pytest.mark.parametrize(
    ("groups", "outputs", "kernels"),
    [(1, 8, ["conv_2d_dsp"]), (4, 16, ["conv_2d_dsp"] * 4), (4, 8, ["conv_2d"])],
)
def test_groups_of_several_outputs_are_quick(groups, outputs, kernels):
    weights = np.ones((outputs, 1, 1, 8 // groups), np.int8)
    inputs = (
        Data((1, 3, 3, 8), (0.5,), 3),
        constant(weights, "int8", (0.01,) * outputs, axis=0),
        constant(np.zeros(outputs, np.int32), "int32", (0.005,) * outputs),
    )
    options = {"padding": SAME, "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    output = Data((1, 3, 3, outputs), (0.5,), -4)
    case = Case("CONV_2D", inputs, (output,), ("Conv2DOptions", options))
    source = generate(operators_file([case]), target="cortex-m4").files["model.c"]
    assert re.findall(r"    mcuprune_(conv_2d\w*)\(", source) == kernels
    require_equal_to_tflm([case])
