"""What sums of products can reach, and how two channels share a lane."""

from __future__ import annotations

import dataclasses

import numpy as np

from mcuprune.codegen.fixed_point import Multiplier
from mcuprune.codegen.kernel_call import Numbers, Parameter
from mcuprune.codegen.requantization import Limits

_INT8_MIN, _INT8_MAX = -128, 127
# Sums are doubled in int32; the second channel of a pair keeps 24 bits.
SUM_LIMIT, PAIR_LIMIT = 2**30, 2**23


def sum_limits(weights: Numbers, bias: Numbers) -> tuple[Numbers, Numbers]:
    """Return the least and largest sum of each channel over all int8 inputs.

    Args:
        weights: int8, ``(channels, elements)``.
        bias: int64, per channel, with the input's offset.
    """
    wide = weights.astype(np.int64)
    low, high = wide * _INT8_MIN, wide * _INT8_MAX
    return (
        bias + np.minimum(low, high).sum(axis=1),
        bias + np.maximum(low, high).sum(axis=1),
    )


def folded_bias(weights: Numbers, bias: Numbers, offset: int) -> Numbers:
    """Return the bias with the input's offset, which every tap brings; int64.

    Args:
        weights: int8, ``(channels, elements)``.
        bias: int32, per channel.
        offset: What the kernel adds to each input.
    """
    folded: Numbers = bias.astype(np.int64) + offset * weights.astype(np.int64).sum(axis=1)
    return folded


def are_within(limits: tuple[Numbers, Numbers], bound: int) -> bool:
    """Return whether all sums lie below a bound in magnitude."""
    return bool(np.all(limits[0] > -bound) and np.all(limits[1] < bound))


def have_quick_shifts(multipliers: list[Multiplier]) -> bool:
    """Return whether all multipliers shift to the right, as the quick rounding needs."""
    return all(-31 <= multiplier.shift <= -1 for multiplier in multipliers)


def shifts_less_one(multipliers: list[Multiplier]) -> Numbers:
    """Return shifts to the right, less 1, uint8."""
    return np.array([-multiplier.shift - 1 for multiplier in multipliers], np.uint8)


def paired_weights(weights: Numbers) -> Numbers:
    """Return words of two lanes for pairs of channels.

    Args:
        weights: int8, ``(channels, elements)``; an even number of channels, a multiple of 4
            elements.

    Returns:
        uint32, ``(channels / 2, elements / 2)``: per four elements the lanes of elements 0 and 2,
        then of 1 and 3, which is how SXTB16 takes four activations apart.
    """
    lanes = _lanes(weights).astype(np.int16).view(np.uint16).astype(np.uint32)
    quads = lanes.reshape(len(lanes), -1, 4)
    words: Numbers = np.stack(
        [quads[..., 0] | quads[..., 2] << 16, quads[..., 1] | quads[..., 3] << 16], axis=-1
    )
    return words.reshape(len(lanes), -1).astype(np.uint32)


def paired_bias(bias: Numbers) -> Numbers:
    """Return where the sums of each pair start: of the first channel, and mixed; int32.

    Args:
        bias: int64, folded, an even number of channels.
    """
    first, second = bias[0::2], bias[1::2]
    starts = np.stack([first, 256 * second + first], axis=1)
    return (starts & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def rounding_of(zero_point: int) -> dict[str, Parameter]:
    """Return the output's zero point as the quick rounding takes it."""
    return {"rounding": 2 * zero_point + 1}


@dataclasses.dataclass(frozen=True)
class Channels:
    """Weights, bias and multipliers of the output channels of a layer.

    Attributes:
        weights: int8, ``(channels, elements)``.
        bias: int64, per channel, with the input's offset.
        multipliers: Per channel.
    """

    weights: Numbers
    bias: Numbers
    multipliers: list[Multiplier]

    def settled(self, limits: Limits, zero_point: int) -> Channels:
        """Return the same channels, those that always answer the same without weights.

        Training leaves such channels behind: their scale is tiny, their bias huge.

        Args:
            limits: Of the fused activation.
            zero_point: Of the output.
        """
        lowest, highest = sum_limits(self.weights, self.bias)
        weights, bias, multipliers = self.weights.copy(), self.bias.copy(), [*self.multipliers]
        for channel, multiplier in enumerate(self.multipliers):
            ends = [multiplier.apply(int(end[channel])) for end in (lowest, highest)]
            answers = {min(max(end + zero_point, limits.least), limits.most) for end in ends}
            if len(answers) == 1:
                # A multiplier of 1/4 gives a quarter of the bias.
                bias[channel] = 4 * (answers.pop() - zero_point)
                weights[channel], multipliers[channel] = 0, Multiplier(2**30, -1)
        return Channels(weights, bias, multipliers)

    def part(self, chosen: Numbers) -> Channels:
        """Return some of the channels.

        Args:
            chosen: Their indices.
        """
        multipliers = [self.multipliers[channel] for channel in chosen]
        return Channels(self.weights[chosen], self.bias[chosen], multipliers)

    def evened(self) -> Channels:
        """Return an even number of channels, with one of zeros added where needed."""
        if len(self.weights) % 2 == 0:
            return self
        return Channels(
            np.concatenate([self.weights, np.zeros_like(self.weights[:1])]),
            np.concatenate([self.bias, np.zeros_like(self.bias[:1])]),
            self.multipliers,
        )


def can_pair(channels: Channels) -> bool:
    """Return whether an even number of channels can share lanes, the even ones as first."""
    limits = sum_limits(channels.weights, channels.bias)
    return (
        are_within(limits, SUM_LIMIT)
        and are_within((limits[0][1::2], limits[1][1::2]), PAIR_LIMIT)
        and bool(np.all(_lanes(channels.weights) >= -(2**15)))
    )


def _lanes(weights: Numbers) -> Numbers:
    """Return what pairs of channels store: 256 times the second and once the first, int32."""
    lanes: Numbers = 256 * weights[1::2].astype(np.int32) + weights[0::2].astype(np.int32)
    return lanes
