"""Two channels in one lane: what the DSP kernels rest on, redone with plain integers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.codegen.cortex_m4.sums import (
    Channels,
    can_pair,
    folded_bias,
    paired_bias,
    paired_weights,
)
from mcuprune.codegen.fixed_point import Multiplier, wrapped
from mcuprune.codegen.requantization import Limits

HALF = Multiplier(2**30, -1)
int8s = st.integers(-128, 127)


@given(st.lists(st.tuples(st.integers(-127, 127), st.integers(-127, 127), int8s), min_size=4))
def test_sums_of_both_channels_come_out_of_the_lanes(triples):
    triples = triples[: len(triples) // 4 * 4]
    weights = np.array([[a, b] for a, b, _ in triples], np.int8).T
    inputs = [x for _, _, x in triples]
    first = mixed = 0
    words = paired_weights(weights)[0]
    for place, word in enumerate(words):
        lanes = np.array([word]).view(np.int16)
        # Per four elements: 0 and 2, then 1 and 3.
        elements = [4 * (place // 2) + place % 2 + 2 * lane for lane in (0, 1)]
        for lane, element in zip(lanes, elements, strict=True):
            mixed = wrapped(mixed + int(lane) * inputs[element])
            low_byte = (int(lane) + 128) % 256 - 128
            first += low_byte * inputs[element]
    exact = weights.astype(int) @ np.array(inputs, int)
    assert first == exact[0]
    assert wrapped(mixed - first) >> 8 == exact[1]


def test_biases_of_a_pair():
    assert paired_bias(np.array([5, -3, 2**23, 1])).tolist() == [[5, -763], [2**23, 2**23 + 256]]


def test_offsets_fold_into_the_bias():
    weights = np.array([[1, 2], [-3, 4]], np.int8)
    assert folded_bias(weights, np.array([10, 20], np.int32), -5).tolist() == [-5, 15]


def channels(weights, bias):
    return Channels(np.array(weights, np.int8), np.array(bias), [HALF] * len(weights))


def test_lanes_must_hold_both_weights_and_sums_24_bits():
    assert can_pair(channels([[-1], [-127]], [0, 0]))
    # 256 * -128 - 1 is below int16.
    assert not can_pair(channels([[-1], [-128]], [0, 0]))
    assert can_pair(channels([[1], [1]], [2**23, 0]))
    assert not can_pair(channels([[1], [1]], [0, 2**23]))
    assert not can_pair(channels([[1], [1]], [2**30, 0]))


def test_channels_that_always_answer_the_same_lose_their_weights():
    # A quarter of 1000 and more saturates; the other channel follows its input.
    found = channels([[1, 1], [1, 1]], [1000, 0]).settled(Limits(-128, 127), zero_point=-8)
    assert found.weights.tolist() == [[0, 0], [1, 1]]
    assert found.bias.tolist() == [4 * (127 + 8), 0]
    assert found.multipliers[0].apply(int(found.bias[0])) - 8 == 127
