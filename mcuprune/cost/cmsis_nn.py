"""Bytes of working memory that the kernels of CMSIS-NN ask for.

Source: the ``*_get_buffer_size`` functions of CMSIS-NN; version and constants in
``cost_models/kernels/tflm_cmsis_nn.yaml``. Widths may be open: what CMSIS-NN decides by them
becomes a factor of 0 or 1.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from mcuprune.ir.dim import Dim, Extent, align_up, is_more_than, is_multiple

INT_BYTES = 4
INT16_BYTES = 2
# What the compiler lets CMSIS-NN use: plain C, the DSP extension, or Helium vectors.
Simd = Literal["c", "dsp", "mve"]


@dataclasses.dataclass(frozen=True)
class CmsisNn:
    """A build of CMSIS-NN.

    Attributes:
        simd: The instructions it uses.
        scratch_for_3x3: Whether depthwise convolutions of 3x3 filters ask for scratch memory.
        depthwise_block_channels: Channels that MVE depthwise kernels take at once.
        depthwise_as_conv_above_channels: Output channels above which MVE does a depthwise
            convolution of one input channel as a convolution.
        reverse_transpose_conv_above_channels: Input channels above which a transposed convolution
            runs as a convolution over a reversed filter.
    """

    simd: Simd
    scratch_for_3x3: bool
    depthwise_block_channels: int
    depthwise_as_conv_above_channels: int
    reverse_transpose_conv_above_channels: int


@dataclasses.dataclass(frozen=True)
class Image:
    """Shape of activations."""

    batch: int
    height: Extent
    width: Extent
    channels: Extent


@dataclasses.dataclass(frozen=True)
class Convolution:
    """Geometry of a convolution, as CMSIS-NN is told it.

    Attributes:
        input: What it reads.
        output: What it writes.
        filter_size: Height and width of the filter.
        filter_channels: Input channels of the filter: fewer than the input's in grouped
            convolutions.
        stride: Down and across.
        dilation: Down and across.
        padding: Rows above and columns to the left.
    """

    input: Image
    output: Image
    filter_size: tuple[int, int]
    filter_channels: Extent
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]

    @property
    def patch(self) -> Extent:
        """Elements under the filter."""
        return self.input.channels * math.prod(self.filter_size)

    @property
    def is_pointwise(self) -> bool:
        """``arm_nn_is_convolve_1x1``."""
        return (
            self.padding == (0, 0)
            and self.filter_size == (1, 1)
            and self.dilation == (1, 1)
            and self.input.channels == self.filter_channels
        )

    @property
    def is_along_a_row(self) -> Extent:
        """``arm_nn_is_convolve_1_x_n``: 0 or 1."""
        is_row = self.input.height == 1 and self.filter_size[0] == 1 and self.dilation[1] == 1
        if not is_row or self.input.channels != self.filter_channels:
            return 0
        return is_multiple(self.input.channels * self.stride[1], 4)


def convolution(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_convolve_wrapper_s8_get_buffer_size``."""
    if conv.is_pointwise:
        return 0
    columns = _columns(conv.patch, build)
    if build.simd != "mve":
        return columns
    is_row = conv.is_along_a_row
    return _if(is_row, _row(conv, columns), columns)


def convolution_of_int16(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_convolve_wrapper_s16_get_buffer_size``."""
    if build.simd == "mve":
        return align_up(conv.patch, 8) * (4 * INT16_BYTES)
    return conv.patch * (2 * INT16_BYTES)


def depthwise(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_depthwise_conv_wrapper_s8_get_buffer_size``; the filter's channels are the output's.

    TFLM asks without telling the stride, which MVE then reads all the same for one input channel
    along a row: what it gets in that case is undefined, here the stride counts.
    """
    optimized = _depthwise_optimized(conv, build) if build.simd != "c" else 0
    is_small = conv.filter_size == (3, 3) and max(conv.padding) <= 1
    if build.simd != "mve":
        return 0 if is_small and not build.scratch_for_3x3 else optimized
    limit = build.depthwise_as_conv_above_channels
    if conv.input.channels == conv.output.channels:
        return optimized  # with one channel in there is one out, not above the limit
    has_one_input = 1 + is_more_than(conv.input.channels, 1) * -1
    is_converted = has_one_input * is_more_than(conv.output.channels, limit)
    return _if(is_converted, _depthwise_as_convolution(conv, build), optimized)


def depthwise_of_int4_weights(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_depthwise_conv_wrapper_s4_get_buffer_size``."""
    return _depthwise_optimized(conv, build)


def transposed_convolution(conv: Convolution, build: CmsisNn) -> tuple[Extent, Extent]:
    """Return the bytes of both requests.

    ``arm_transpose_conv_s8_get_buffer_size`` and
    ``arm_transpose_conv_s8_get_reverse_conv_buffer_size``; the second can be 0.
    """
    height, width = conv.filter_size
    rows = max(height, conv.stride[0])
    row = (conv.input.width + -1) * conv.stride[1] + max(width, conv.stride[0])
    direct = row * conv.output.channels * (rows * INT_BYTES)
    if max(conv.stride) > 2:
        return direct, 0
    limit = build.reverse_transpose_conv_above_channels
    is_reversed = is_more_than(conv.input.channels, limit)
    scratch = _if(is_reversed, _columns(conv.patch, build), direct)
    return scratch, is_reversed * conv.patch * conv.output.channels


def average_pool(channels: Extent, build: CmsisNn) -> Extent:
    """``arm_avgpool_s8_get_buffer_size``, the same for int16."""
    return channels * INT_BYTES if build.simd == "dsp" else 0


def kernel_sums(outputs: Extent, build: CmsisNn) -> Extent:
    """``arm_fully_connected_s8_get_buffer_size`` and ``arm_svdf_s8_get_buffer_size``."""
    return outputs * INT_BYTES if build.simd == "mve" else 0


def _columns(patch: Extent, build: CmsisNn) -> Extent:
    """``arm_convolve_s8_get_buffer_size``: two patches as int16, or four of whole vectors."""
    if build.simd == "mve":
        return align_up(patch, 16) * 4
    return align_up(patch, 4) * (2 * INT16_BYTES)


def _row(conv: Convolution, columns: Extent) -> Extent:
    """``arm_convolve_1_x_n_s8_get_buffer_size_mve``, in C's integer arithmetic."""
    stride, padding, width = conv.stride[1], conv.padding[1], conv.filter_size[1]
    missing = (conv.output.width + -1) * stride + width + conv.input.width * -1
    if isinstance(missing, Dim):
        return columns  # a row whose length is a width: MVE's other kernel, which takes more
    odd = int(math.fmod(missing, 2))
    right = max(1, int((padding + odd + stride - 1) / stride)) if padding + odd else 0
    left = max(1, (padding + stride - 1) // stride) if padding else 0
    if left + right > conv.output.width:
        return columns
    beyond = right if odd else padding
    return conv.input.channels * max(width + padding, width - 1 + beyond)


def _depthwise_optimized(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_depthwise_conv_s8_opt_get_buffer_size`` where that kernel can run."""
    is_plain = conv.input.batch == 1 and conv.dilation == (1, 1)
    if not is_plain or conv.input.channels != conv.output.channels:
        return 0
    if build.simd == "mve":
        return 4 * build.depthwise_block_channels * math.prod(conv.filter_size)
    return conv.patch * INT16_BYTES


def _depthwise_as_convolution(conv: Convolution, build: CmsisNn) -> Extent:
    """``arm_deptwise_conv_s8_one_in_ch_get_buffer_size_mve``."""
    image = dataclasses.replace(conv.input, channels=1)
    as_convolution = dataclasses.replace(conv, input=image, filter_channels=1)
    weights = conv.output.channels * math.prod(conv.filter_size)
    return convolution(as_convolution, build) + weights


def _if(condition: Extent, yes: Extent, no: Extent) -> Extent:
    """Choose by a condition of 0 or 1, known or open."""
    if isinstance(condition, int):
        return yes if condition else no
    return condition * yes + (1 + condition * -1) * no
