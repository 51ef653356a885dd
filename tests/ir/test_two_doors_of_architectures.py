"""Whole architectures: the graph read from Keras and the one read from the converted file."""

from __future__ import annotations

import functools

import pytest
from files_of_models import converted_file
from graph_description import described, wiring
from networks import NETWORKS, network

from mcuprune.cost.resources import estimate
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite

# The converter takes no rolled loop.
NOT_CONVERTED = frozenset({"recurrent"})
# A tensor that two concatenations read can have the scale of one: QUANTIZE stays before the other.
REQUANTIZED = frozenset({"concat cascade"})
# A layer of the user's own folds into its neighbour, which its conversion alone does not show.
FOLDED = frozenset({"custom layers"})
EXACT = sorted(set(NETWORKS) - NOT_CONVERTED - REQUANTIZED - FOLDED)

pytestmark = pytest.mark.slow


@functools.lru_cache(maxsize=1)
def both(name):
    """Return the graph from Keras and the graph from the file."""
    model = network(name, seed=0)
    return graph_from_keras(model), parse_tflite(converted_file(model), name)


@pytest.mark.parametrize("name", EXACT)
def test_operators_wiring_and_resources_are_the_same(name):
    from_keras, from_file = both(name)
    assert [op.kind for op in from_keras.operators] == [op.kind for op in from_file.operators]
    assert described(from_keras) == described(from_file)
    assert wiring(from_keras) == wiring(from_file)
    predicted, counted = estimate(from_keras), estimate(from_file)
    for number in ("arena_head_bytes", "arena_tail_bytes", "macs", "params", "tflite_bytes"):
        assert getattr(predicted, number) == getattr(counted, number)


@pytest.mark.parametrize("name", sorted(REQUANTIZED))
def test_all_but_the_requantizing_operators_are_the_same(name):
    from_keras, from_file = both(name)
    kinds = [op.kind for op in from_file.operators if op.kind != "QUANTIZE"]
    assert [op.kind for op in from_keras.operators] == kinds
    assert estimate(from_keras).macs == estimate(from_file).macs


@pytest.mark.parametrize("name", sorted(FOLDED))
def test_what_is_not_folded_is_counted_on_top(name):
    from_keras, from_file = both(name)
    predicted, counted = estimate(from_keras), estimate(from_file)
    assert len(from_keras.operators) > len(from_file.operators)
    assert predicted.tflite_bytes > counted.tflite_bytes
    assert predicted.macs == counted.macs
