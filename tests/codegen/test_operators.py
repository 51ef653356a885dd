"""Operators other than convolutions, over shapes, scales, zero points and saturation."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from operator_checks import (
    BATCH,
    TARGETS,
    require_equal_to_litert,
    require_equal_to_tflm,
    some_batches,
)
from operator_files import Case, Data, constant

zero_points = st.integers(-128, 127)
activations = st.sampled_from([0, 1, 3])
scales = st.floats(0.003, 0.3)
# Families of which a target has kernels of its own.
WITH_DSP_KERNELS = frozenset({"arithmetic"})


def pictures(most=7):
    return st.tuples(st.just(1), *[st.integers(1, most)] * 3)


@st.composite
def arithmetic(draw, kind):
    shape = draw(pictures())
    other = draw(st.sampled_from([shape, shape[1:], (1, 1, 1, shape[3]), (1, shape[1], 1, 1)]))
    scale = draw(scales)
    pair = [Data(shape, (scale,), draw(zero_points))]
    scale = draw(st.one_of(st.just(scale), scales))
    if len(other) == 4 and other[0] == 1:
        pair.append(Data(other, (scale,), draw(zero_points)))
    else:
        chance = np.random.default_rng(draw(st.integers(0, 99)))
        values = chance.integers(-128, 128, other)
        pair.append(constant(values, "int8", (scale,), draw(zero_points)))
    output = Data(shape, (draw(scales),), draw(zero_points))
    options = (f"{kind.capitalize()}Options", {"fusedActivationFunction": draw(activations)})
    return Case(kind, tuple(pair), (output,), options)


@st.composite
def prelus(draw):
    shape = draw(pictures())
    chance = np.random.default_rng(draw(st.integers(0, 99)))
    alpha = chance.integers(-128, 128, (1, 1, shape[3]))
    inputs = (
        Data(shape, (draw(scales),), draw(zero_points)),
        constant(alpha, "int8", (0.004,), draw(zero_points)),
    )
    return Case("PRELU", inputs, (Data(shape, (draw(scales),), draw(zero_points)),))


@st.composite
def pools(draw, kind):
    _, height, width, depth = shape = draw(pictures(9))
    window = [draw(st.integers(1, size)) for size in (height, width)]
    strides = [draw(st.integers(1, 3)) for _ in range(2)]
    padding = draw(st.sampled_from([0, 1]))
    sizes = [
        -(-size // stride) if padding == 0 else (size - taps) // stride + 1
        for size, taps, stride in zip((height, width), window, strides, strict=True)
    ]
    quantization = ((draw(scales),), draw(zero_points))
    fields = {"padding": padding, "strideH": strides[0], "strideW": strides[1]}
    fields |= {"filterHeight": window[0], "filterWidth": window[1]}
    fields["fusedActivationFunction"] = draw(activations)
    output = Data((1, *sizes, depth), *quantization)
    return Case(kind, (Data(shape, *quantization),), (output,), ("Pool2DOptions", fields))


@st.composite
def reductions(draw, kind):
    shape = draw(pictures())
    axes = draw(st.lists(st.sampled_from([1, 2, 3, -1, -2]), min_size=1, max_size=2))
    gone = {axis % 4 for axis in axes}
    keep = draw(st.booleans())
    kept = [1 if axis in gone else size for axis, size in enumerate(shape)]
    if not keep:
        kept = [size for axis, size in enumerate(shape) if axis not in gone]
    source = ((draw(scales),), draw(zero_points))
    target = ((draw(scales),), draw(zero_points)) if kind in ("MEAN", "SUM") else source
    inputs = (Data(shape, *source), constant(axes))
    return Case(kind, inputs, (Data(tuple(kept), *target),), ("ReducerOptions", {"keepDims": keep}))


@st.composite
def functions(draw, kind):
    shape = (1, draw(st.integers(1, 40)), draw(st.integers(1, 12)))
    source = ((draw(scales),), draw(zero_points))
    target = {
        "SOFTMAX": ((1 / 256,), -128),
        "LOGISTIC": ((1 / 256,), -128),
        "TANH": ((1 / 128,), 0),
        "RELU6": ((6 / 255,), -128),
    }.get(kind, ((draw(st.floats(0.01, 0.3)),), draw(zero_points)))
    if kind == "RELU6":
        source = target
    if kind == "SOFTMAX":
        # Scales so small that all differences count, and so large that few do.
        source = ((draw(st.sampled_from([0.0005, 0.01, 0.1, 0.9, 3.0])),), draw(zero_points))
    options = {
        "SOFTMAX": ("SoftmaxOptions", {"beta": draw(st.sampled_from([1.0, 0.5]))}),
        "LEAKY_RELU": ("LeakyReluOptions", {"alpha": draw(st.floats(0.01, 0.9))}),
    }.get(kind)
    if kind == "HARD_SWISH":
        # TFLM takes outputs whose scale is at least 1/128 of the input's.
        target = ((max(target[0][0], source[0][0] / 64),), target[1])
    return Case(kind, (Data(shape, *source),), (Data(shape, *target),), options)


@st.composite
def requantizations(draw):
    shape = draw(pictures())
    types = [("int8", "int8"), ("int8", "uint8"), ("uint8", "int8"), ("float32", "int8")]
    one, other = draw(st.sampled_from(types))
    places = [
        Data(shape, (draw(scales),), draw(zero_points) + 128 * (dtype == "uint8"), dtype)
        for dtype in (one, other)
    ]
    if one == "float32":
        places[0] = Data(shape, dtype="float32")
    return Case("QUANTIZE", (places[0],), (places[1],), ("QuantizeOptions", {}))


@st.composite
def dequantizations(draw):
    shape = draw(pictures())
    source = Data(shape, (draw(scales),), draw(zero_points))
    return Case("DEQUANTIZE", (source,), (Data(shape, dtype="float32"),), ("DequantizeOptions", {}))


@st.composite
def joins(draw):
    shape, axis = draw(pictures()), draw(st.integers(1, 3))
    quantization = ((draw(scales),), draw(zero_points))
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
    target = (*shape[:axis], sum(sizes), *shape[axis + 1 :])
    inputs = tuple(Data(one, *quantization) for one in shapes)
    options = ("ConcatenationOptions", {"axis": draw(st.sampled_from([axis, axis - 4]))})
    return Case("CONCATENATION", inputs, (Data(target, *quantization),), options)


@st.composite
def splits(draw, kind):
    shape, axis = list(draw(pictures(4))), draw(st.integers(1, 3))
    quantization = ((draw(scales),), draw(zero_points))
    parts = draw(st.integers(1, 4))
    sizes = [draw(st.integers(1, 3))] * parts
    if kind == "SPLIT_V":
        sizes = [draw(st.integers(1, 3)) for _ in range(parts)]
    shape[axis] = sum(sizes)
    data = Data(tuple(shape), *quantization)
    outputs = tuple(Data((*shape[:axis], n, *shape[axis + 1 :]), *quantization) for n in sizes)
    if kind == "SPLIT":
        inputs, table = (constant([axis]), data), "SplitOptions"
    else:
        inputs, table = (data, constant(sizes), constant([axis])), "SplitVOptions"
    return Case(kind, inputs, outputs, (table, {"numSplits": parts}))


@st.composite
def slices(draw):
    shape = draw(pictures())
    begins = [draw(st.integers(0, size - 1)) for size in shape]
    sizes = [draw(st.integers(1, size - begin)) for size, begin in zip(shape, begins, strict=True)]
    quantization = ((draw(scales),), draw(zero_points))
    inputs = (Data(shape, *quantization), constant(begins), constant(sizes))
    return Case("SLICE", inputs, (Data(tuple(sizes), *quantization),), ("SliceOptions", {}))


@st.composite
def strided_slices(draw):
    shape = draw(pictures())
    begins, ends, strides = (
        [draw(numbers) for _ in shape]
        for numbers in (st.integers(-8, 8), st.integers(-8, 8), st.sampled_from([1, 1, 2, -1]))
    )
    masks = [0b0001 | draw(st.integers(0, 15)) for _ in range(2)]
    chosen = [
        range(size)[
            slice(
                None if masks[0] >> axis & 1 else begins[axis],
                None if masks[1] >> axis & 1 else ends[axis],
                strides[axis],
            )
        ]
        for axis, size in enumerate(shape)
    ]
    for axis, part in enumerate(chosen):
        if not part:
            masks = [mask | 1 << axis for mask in masks]
            chosen[axis] = range(shape[axis])[:: strides[axis]]
    shrunk = draw(st.sampled_from([0, 0, 0b0010, 0b1100]))
    for axis in range(4):
        if shrunk >> axis & 1:
            begins[axis] = draw(st.integers(-shape[axis], shape[axis] - 1))
            strides[axis], chosen[axis] = 1, range(1)
    quantization = ((draw(scales),), draw(zero_points))
    inputs = (Data(shape, *quantization), constant(begins), constant(ends), constant(strides))
    kept = [len(part) for axis, part in enumerate(chosen) if not shrunk >> axis & 1]
    fields = {"beginMask": masks[0], "endMask": masks[1], "shrinkAxisMask": shrunk}
    output = Data(tuple(kept), *quantization)
    return Case("STRIDED_SLICE", inputs, (output,), ("StridedSliceOptions", fields))


@st.composite
def pads(draw, kind):
    shape = draw(pictures())
    amounts = [(0, 0)] + [(draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(3)]
    target = tuple(size + sum(pair) for size, pair in zip(shape, amounts, strict=True))
    quantization = ((draw(scales),), draw(zero_points))
    inputs = [Data(shape, *quantization), constant(amounts)]
    if kind == "PADV2":
        inputs.append(constant([draw(zero_points)], "int8", *quantization))
    options = ("PadOptions" if kind == "PAD" else "PadV2Options", {})
    return Case(kind, tuple(inputs), (Data(target, *quantization),), options)


@st.composite
def transpositions(draw):
    shape = draw(pictures())
    order = [0, *draw(st.permutations([1, 2, 3]))]
    quantization = ((draw(scales),), draw(zero_points))
    target = tuple(shape[axis] for axis in order)
    inputs = (Data(shape, *quantization), constant(order))
    return Case("TRANSPOSE", inputs, (Data(target, *quantization),), ("TransposeOptions", {}))


@st.composite
def packs(draw, kind):
    shape, axis, count = draw(pictures(4)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    quantization = ((draw(scales),), draw(zero_points))
    whole = Data((*shape[:axis], count, *shape[axis:]), *quantization)
    parts = (Data(shape, *quantization),) * count
    if kind == "PACK":
        return Case(kind, parts, (whole,), ("PackOptions", {"axis": axis, "valuesCount": count}))
    return Case(kind, (whole,), parts, ("UnpackOptions", {"axis": axis, "num": count}))


@st.composite
def spaces(draw):
    _, height, width, depth = draw(pictures(4))
    block = draw(st.integers(1, 3))
    quantization = ((draw(scales),), draw(zero_points))
    source = Data((1, height, width, depth * block**2), *quantization)
    target = Data((1, height * block, width * block, depth), *quantization)
    return Case(
        "DEPTH_TO_SPACE", (source,), (target,), ("DepthToSpaceOptions", {"blockSize": block})
    )


@st.composite
def resizes(draw, kind):
    shape = draw(pictures(6))
    sizes = [draw(st.integers(1, 12)) for _ in range(2)]
    corners, centres = draw(st.sampled_from([(False, False), (True, False), (False, True)]))
    quantization = ((draw(scales),), draw(zero_points))
    inputs = (Data(shape, *quantization), constant(sizes))
    table = "".join(word.capitalize() for word in kind.split("_")) + "Options"
    options = (table, {"alignCorners": corners, "halfPixelCenters": centres})
    return Case(kind, inputs, (Data((1, *sizes, shape[3]), *quantization),), options)


@st.composite
def transposed_convolutions(draw):
    _, height, width, depth = draw(pictures(4))
    channels = draw(st.integers(1, 4))
    window, strides = ([draw(st.integers(1, 4)) for _ in range(2)] for _ in range(2))
    padding = draw(st.sampled_from([0, 1]))
    sizes = [
        size * stride if padding == 0 else (size - 1) * stride + taps
        for size, stride, taps in zip((height, width), strides, window, strict=True)
    ]
    if padding == 1:
        sizes = [max(s, t) for s, t in zip(sizes, window, strict=True)]
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factors = chance.uniform(0.001, 0.05, channels)
    weights = chance.integers(-127, 128, (channels, *window, depth))
    inputs = [
        constant([1, *sizes, channels]),
        constant(weights, "int8", factors),
        Data((1, height, width, depth), (0.1,), draw(zero_points)),
    ]
    if draw(st.booleans()):
        bias = chance.integers(-5_000, 5_001, channels)
        inputs.append(constant(bias, "int32", tuple(0.1 * factors)))
    output = Data((1, *sizes, channels), (draw(st.sampled_from([0.1, 1.0])),), draw(zero_points))
    fields = {"padding": padding, "strideH": strides[0], "strideW": strides[1]}
    return Case("TRANSPOSE_CONV", tuple(inputs), (output,), ("TransposeConvOptions", fields))


FAMILIES = {
    "arithmetic": st.one_of(*map(arithmetic, ("ADD", "SUB", "MUL")), prelus()),
    "pools": st.one_of(*map(pools, ("AVERAGE_POOL_2D", "MAX_POOL_2D"))),
    "reductions": st.one_of(*map(reductions, ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"))),
    "functions": st.one_of(
        *map(functions, ("SOFTMAX", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU"))
    ),
    "hard swish": functions("HARD_SWISH"),
    "elu": functions("ELU"),
    "conversions": st.one_of(requantizations(), dequantizations()),
    "moves": st.one_of(joins(), splits("SPLIT"), splits("SPLIT_V"), slices(), strided_slices()),
    "more moves": st.one_of(
        pads("PAD"), pads("PADV2"), transpositions(), packs("PACK"), packs("UNPACK"), spaces()
    ),
    "resizes": st.one_of(*map(resizes, ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"))),
    "transposed convolutions": transposed_convolutions(),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_operators_answer_as_tflm(family):
    @some_batches(2)
    @given(st.lists(FAMILIES[family], min_size=BATCH, max_size=BATCH))
    def check(cases):
        targets = TARGETS if family in WITH_DSP_KERNELS else ("portable",)
        require_equal_to_tflm(cases, targets=targets)

    check()


@some_batches(2)
@given(st.lists(functions("RELU_N1_TO_1"), min_size=BATCH, max_size=BATCH))
def test_what_tflm_lacks_answers_as_litert(cases):
    require_equal_to_litert(cases, targets=("portable",))
