"""What one channel is worth, held against models that were built one channel narrower."""

from typing import Any

import keras
import pytest

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.worth import ChannelWorth, channel_worths
from mcuprune.cost.front import estimate
from mcuprune.ir.from_keras import graph_from_keras

layers = keras.layers
WIDTHS = {"stem": 8, "branch": 6, "hidden": 12}


def network(stem: int = 8, branch: int = 6, hidden: int = 12) -> Any:
    """A residual block of ``stem`` channels with ``branch`` inside, then two dense layers."""
    inputs = keras.Input((8, 8, 1))
    x = first = layers.Conv2D(stem, 3, padding="same", activation="relu", name="stem")(inputs)
    x = layers.Conv2D(branch, 3, padding="same", activation="relu", name="branch")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depth")(x)
    x = layers.Conv2D(stem, 1, name="back")(x)
    x = layers.Add(name="sum")([first, x])
    x = layers.MaxPooling2D(4, name="pool")(x)
    x = layers.Dense(hidden, name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(inputs, layers.Dense(3, name="classes")(x))


def worths(model: Any) -> dict[str, ChannelWorth]:
    groups = coupling_groups(model)
    return channel_worths(graph_from_keras(model, groups.dims()), groups)


@pytest.fixture(scope="module")
def found() -> dict[str, ChannelWorth]:
    return worths(network())


@pytest.mark.parametrize("group", WIDTHS)
def test_a_narrower_model_costs_so_much_less(found: Any, group: str) -> None:
    wide, narrow = estimate(network()), estimate(network(**{group: WIDTHS[group] - 1}))
    worth = found[group]
    assert worth.sram_bytes_per_channel == wide.peak_sram_bytes - narrow.peak_sram_bytes
    assert worth.flash_bytes_per_channel == wide.flash_bytes - narrow.flash_bytes
    assert worth.macs_per_channel == wide.macs - narrow.macs


def test_multiply_accumulates_by_hand(found: Any) -> None:
    # stem and back make it, branch and hidden (2x2 pixels after pooling) read it.
    assert found["stem"].macs_per_channel == 64 * 9 * 1 + 64 * 6 + 64 * 9 * 6 + 4 * 12
    assert found["branch"].macs_per_channel == 64 * 9 * 8 + 64 * 9 + 64 * 8
    assert found["hidden"].macs_per_channel == 2 * 2 * 8 + 3


def test_only_groups_in_memory_at_the_peak_have_a_part_in_it(found: Any) -> None:
    # The sum holds the peak: its two inputs and its output, 64 bytes of each per channel of stem.
    assert [name for name, worth in found.items() if worth.in_sram_peak] == ["stem"]
    # All else is the tail: 8 bytes for each convolution's channel, aligned to 16 bytes.
    tail_bytes = found["stem"].sram_bytes_per_channel - 3 * 64
    assert 0 <= tail_bytes <= 2 * 8 + 16
    assert 0 <= found["branch"].sram_bytes_per_channel <= 2 * 8 + 16
    # Dense layers keep one multiplier for all channels.
    assert 0 <= found["hidden"].sram_bytes_per_channel <= 16


def test_frozen_groups_and_single_channels_have_no_worth() -> None:
    assert set(worths(network(branch=1))) == {"stem", "hidden"}
