"""Scratch memory of CMSIS-NN's kernels.

Every expectation here was also returned by CMSIS-NN's own functions (4ab83cc, built for a host).
"""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcuprune.cost import cmsis_nn
from mcuprune.cost.cmsis_nn import Convolution, Image
from mcuprune.cost.runtime import load_runtime
from mcuprune.ir.dim import Dim

C, DSP, MVE = (
    load_runtime(name).cmsis_nn
    for name in ("tflm-cmsis-nn-c", "tflm-cmsis-nn", "tflm-cmsis-nn-mve")
)
BUILDS = (C, DSP, MVE)
WIDE, OUT = Dim.width("in"), Dim.width("out")


def conv(channels, size, outputs=8, *, stride=(1, 1), padding=(0, 0), groups=1, image=(9, 9)):
    """A convolution over an image, VALID unless padded."""
    after = [
        (before + 2 * pad - reach) // step + 1
        for before, pad, reach, step in zip(image, padding, size, stride, strict=True)
    ]
    images = Image(1, *image, channels), Image(1, *after, outputs)
    filter_channels = channels if groups == 1 else channels // groups
    return Convolution(*images, size, filter_channels, stride, (1, 1), padding)


@pytest.mark.parametrize(
    ("shape", "plain", "mve"),
    [
        # Two patches as int16, each a multiple of 4 elements; four as int8, each of whole vectors.
        (conv(16, (3, 3)), 2 * 144 * 2, 4 * 144),
        (conv(3, (3, 3)), 2 * 28 * 2, 4 * 32),
        (conv(8, (1, 1)), 0, 0),
        (conv(8, (1, 1), stride=(2, 2)), 0, 0),
        (conv(8, (1, 1), padding=(1, 1)), 2 * 8 * 2, 4 * 16),
        # The filter of a grouped convolution has fewer channels, the patch does not.
        (conv(8, (1, 1), groups=2), 2 * 8 * 2, 4 * 16),
        # Along a row MVE copies only what stands over its ends.
        (conv(4, (1, 5), image=(1, 40)), 2 * 20 * 2, 4 * 5),
        (conv(4, (1, 5), image=(1, 40), padding=(0, 2)), 2 * 20 * 2, 4 * 7),
        (conv(3, (1, 5), image=(1, 40)), 2 * 16 * 2, 4 * 16),
    ],
)
def test_convolutions(shape, plain, mve):
    assert [cmsis_nn.convolution(shape, build) for build in BUILDS] == [plain, plain, mve]


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        (conv(6, (3, 3), 6, padding=(1, 1)), (0, 0, 4 * 124 * 9)),
        (conv(6, (3, 3), 6, padding=(2, 2)), (0, 6 * 9 * 2, 4 * 124 * 9)),
        (conv(6, (5, 5), 6), (0, 6 * 25 * 2, 4 * 124 * 25)),
        (conv(6, (3, 3), 12), (0, 0, 0)),
        # MVE does one input channel as a convolution, for which it turns the weights.
        (conv(1, (5, 5), 8), (0, 0, 4 * 32 + 8 * 25)),
    ],
)
def test_depthwise_convolutions(shape, sizes):
    assert tuple(cmsis_nn.depthwise(shape, build) for build in BUILDS) == sizes


def test_arduinos_version_takes_scratch_for_3x3_too():
    older = load_runtime("tflm-arduino").cmsis_nn
    assert cmsis_nn.depthwise(conv(6, (3, 3), 6, padding=(1, 1)), older) == 6 * 9 * 2


def test_transposed_convolutions():
    few, many = conv(8, (3, 3), 5, stride=(2, 2)), conv(20, (3, 3), 5, stride=(2, 2))
    # Up to 16 channels: rows of sums for as many rows as the filter has.
    assert cmsis_nn.transposed_convolution(few, DSP) == ((8 * 2 + 3) * 5 * 3 * 4, 0)
    # Above: a convolution's scratch, and the filter reversed.
    assert cmsis_nn.transposed_convolution(many, DSP) == (2 * 180 * 2, 20 * 9 * 5)
    assert cmsis_nn.transposed_convolution(many, MVE) == (4 * 192, 20 * 9 * 5)
    steps_of_3 = dataclasses.replace(many, stride=(3, 3))
    assert cmsis_nn.transposed_convolution(steps_of_3, DSP) == ((8 * 3 + 3) * 5 * 3 * 4, 0)


def test_average_pools_and_kernel_sums():
    assert [cmsis_nn.average_pool(10, build) for build in BUILDS] == [0, 40, 0]
    assert [cmsis_nn.kernel_sums(10, build) for build in BUILDS] == [0, 0, 40]


@settings(max_examples=300)
@given(
    channels=st.integers(1, 40),
    outputs=st.integers(1, 40),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    rows=st.sampled_from([1, 9]),
    build=st.sampled_from(BUILDS),
)
def test_open_widths_give_the_same(channels, outputs, size, stride, rows, build):
    size = (min(size[0], rows), size[1])
    closed = conv(channels, size, outputs, stride=stride, image=(rows, 9))
    opened = conv(WIDE, size, OUT, stride=stride, image=(rows, 9))
    widths = {"in": channels, "out": outputs}
    for rule in (cmsis_nn.convolution, cmsis_nn.convolution_of_int16):
        assert at(rule(opened, build), widths) == rule(closed, build)
    if channels != outputs:
        assert at(cmsis_nn.depthwise(opened, build), widths) == cmsis_nn.depthwise(closed, build)
    found = cmsis_nn.transposed_convolution(opened, build)
    expected = cmsis_nn.transposed_convolution(closed, build)
    assert tuple(at(number, widths) for number in found) == expected


def at(number, widths):
    return number.at(widths) if isinstance(number, Dim) else number
