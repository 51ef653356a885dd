"""The front door: models of all forms, and boards."""

from __future__ import annotations

import keras
import pytest

from mcuprune.cost.front import estimate
from mcuprune.errors import UnknownNameError


def dense(width: int) -> keras.Model:
    return keras.Sequential([keras.Input((width,)), keras.layers.Dense(width)])


def test_a_board_adds_its_verdict_and_leaves_the_numbers():
    # The micro:bit v2 has 512 KiB of flash: 100 x 100 weights fit, 800 x 800 do not.
    small, large = (estimate(dense(width), board="microbit-v2") for width in (100, 800))
    assert (small.board, small.fits_board) == ("microbit-v2", True)
    assert large.fits_board is False
    assert (small.macs, large.macs) == (100 * 100, 800 * 800)


def test_without_a_board_there_is_no_verdict():
    resources = estimate(dense(4))
    assert (resources.board, resources.fits_board) == (None, None)


def test_an_unknown_board_is_refused_before_the_model_is_read():
    with pytest.raises(UnknownNameError, match="did you mean 'microbit-v2'"):
        estimate("absent.tflite", board="microbit")


def test_the_arena_with_a_plan_in_the_file():
    """Two tensors of 8x8x4 and their sum: in place two of them are enough."""
    inputs = keras.Input((8, 8, 4))
    convolved = keras.layers.Conv2D(4, 1, bias_initializer="ones")(inputs)
    model = keras.Model(inputs, keras.layers.Add()([inputs, convolved]))
    found = estimate(model)
    assert found.arena_head_bytes == 768
    assert found.arena_total_bytes - found.arena_planned_bytes == 256
    assert found.provenance["arena_planned_bytes"] == "planned"
