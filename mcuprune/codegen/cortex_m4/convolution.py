"""CONV_2D for the DSP extension."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcuprune.codegen.cortex_m4 import sums
from mcuprune.codegen.kernel_call import KernelCall, Numbers
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import convolution as portable
from mcuprune.codegen.requantization import (
    Limits,
    activation_limits,
    channel_multipliers,
    multiplier_arrays,
)

_WORD = 4
# Scratch per word of a window: two pixels, each as a pair of even and of odd elements.
_SCRATCH_BYTES_PER_WORD = 16
# A call takes 150 bytes of flash; few outputs do not pay for the copy of the window.
_MOST_GROUPS, _LEAST_GROUP_OUTPUTS = 16, 4
# Marks pairs of channels that do not depend on the input.
_IS_CONSTANT = 128


def conv_2d(node: Node) -> tuple[KernelCall, ...]:
    """CONV_2D, a call per group; with many or tiny groups or unusual sums the portable kernel."""
    (call,) = portable.conv_2d(node)
    channels = settled_channels(node, node.constant(1).reshape(node.input_shape(1)[0], -1))
    groups = [
        channels.part(group)
        for group in np.split(np.arange(len(channels.weights)), _group_count(node))
    ]
    if (
        node.input().is_constant
        or not _are_worth_it(groups)
        or not sums.have_quick_shifts(channels.multipliers)
        or not all(sums.can_pair(group.evened()) for group in groups)
    ):
        return (call,)
    return tuple(_group_call(node, call, groups, place) for place in range(len(groups)))


def _group_count(node: Node) -> int:
    return node.input_shape()[3] // node.input_shape(1)[3]


def _are_worth_it(groups: Sequence[sums.Channels]) -> bool:
    outputs = len(groups[0].weights)
    return len(groups) == 1 or (len(groups) <= _MOST_GROUPS and outputs >= _LEAST_GROUP_OUTPUTS)


def _group_call(
    node: Node, call: KernelCall, groups: Sequence[sums.Channels], place: int
) -> KernelCall:
    group, outputs = groups[place], len(groups[place].weights)
    paired, words = group.evened(), _row_words(node)
    is_live = _live_pairs(paired)
    factors, _ = multiplier_arrays(group.multipliers)
    rows = _padded_rows(paired.weights.reshape(-1, *node.input_shape(1)[1:]), words)
    window = portable.window_parameters(node, node.input_shape(1)[1:3])
    # The last call clamps all channels.
    limits = activation_limits(node) if place == len(groups) - 1 else Limits(-128, 127)
    depth = node.input_shape(1)[3]
    return KernelCall(
        "conv_2d_dsp",
        call.inputs,
        call.outputs,
        {
            **window,
            "output_channels": outputs,
            "group_channels": depth,
            "first_input": place * depth,
            "output_step": node.output_shape()[3],
            "first_output": place * outputs,
            "has_dense_rows": int(len(groups) == 1 and window["dilation_width"] == 1),
            "row_steps": words,
            "padding": _four_bytes(node.input_quantization().zero_point),
            **sums.rounding_of(node.output_quantization().zero_point),
            **limits.to_parameters(),
            "weights": _at_least_one(sums.paired_weights(rows)[is_live]),
            "bias": sums.paired_bias(paired.bias),
            "factors": factors,
            "shifts": _marked(sums.shifts_less_one(group.multipliers), is_live),
        },
        scratch_bytes=node.input_shape(1)[1] * words * _SCRATCH_BYTES_PER_WORD,
        reads_past_bytes=-int(np.prod(node.input_shape(1)[2:])) % _WORD,
    )


def settled_channels(node: Node, weights: Numbers) -> sums.Channels:
    """Return the output channels of a convolution, with the input's offset in the bias.

    Args:
        node: The operator.
        weights: int8, ``(channels, elements)``.
    """
    bias = portable.bias_of(node, 2, len(weights))
    folded = sums.folded_bias(weights, bias, -node.input_quantization().zero_point)
    channels = sums.Channels(weights, folded, channel_multipliers(node, len(weights)))
    return channels.settled(activation_limits(node), node.output_quantization().zero_point)


def _live_pairs(channels: sums.Channels) -> Numbers:
    """Return for each pair of channels whether it has weights."""
    sizes: Numbers = np.abs(channels.weights.astype(np.int64)).sum(axis=1)
    is_live: Numbers = sizes[0::2] + sizes[1::2] > 0
    return is_live


def _marked(shifts: Numbers, is_live: Numbers) -> Numbers:
    marked = shifts.copy()
    marked[0::2][~is_live] |= _IS_CONSTANT
    return marked


def _at_least_one(words: Numbers) -> Numbers:
    """C has no empty arrays."""
    return words if words.size else np.zeros((1, 1), words.dtype)


def _row_words(node: Node) -> int:
    """Return the words of one row of the window, the last one filled up with zeros."""
    _, _, width, depth = node.input_shape(1)
    return -(-width * depth // _WORD)


def _padded_rows(weights: Numbers, words: int) -> Numbers:
    """Return weights ``(out, kh, kw, in)`` as ``(out, elements)``, each row of whole words."""
    channels, height, width, depth = weights.shape
    rows = np.zeros((channels, height, words * _WORD), np.int8)
    rows[..., : width * depth] = weights.reshape(channels, height, width * depth)
    return rows.reshape(channels, -1)


def _four_bytes(value: int) -> int:
    """Return a word with one int8 in each byte, as int32."""
    return int(np.full(4, value, np.int8).view(np.int32)[0])
