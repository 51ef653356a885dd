"""The graph read from Keras and the one read from the converted file are the same.

The converter is the independent side: every expectation is read from a file that it made anew.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from graph_description import described, wiring
from small_networks import NETWORKS, randomised

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import operator_macs
from mcuprune.cost.memory import arena_head, arena_tail, working_sets
from mcuprune.deployment.convert import convert_int8
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.recipes import models

REFERENCES = ("digits_cnn", "resnet8", "dscnn", "mobilenet_v1_025", "fc_autoencoder")
ALL = (*REFERENCES, *NETWORKS)
# The bytes of an int8 constant with one element are 127 or -128: trained factors of equal sign
# share them, which nobody knows before training.
FLASH_DEPENDS_ON_SIGNS = frozenset({"units_of_one"})


def build(name):
    if name in NETWORKS:
        return NETWORKS[name]()
    return randomised(getattr(models, name)())


@functools.cache
def both(name):
    """Return the graph from Keras and the graph from the file."""
    model = build(name)
    shape = model.inputs[0].shape[1:]
    samples = np.random.RandomState(0).normal(size=(8, *shape)).astype(np.float32)
    return graph_from_keras(model), parse_tflite(convert_int8(model, samples), name)


@pytest.mark.parametrize("name", ALL)
def test_same_operators(name):
    from_keras, from_file = both(name)
    assert [op.kind for op in from_keras.operators] == [op.kind for op in from_file.operators]
    for predicted, converted in zip(described(from_keras), described(from_file), strict=True):
        assert predicted == converted


@pytest.mark.parametrize("name", ALL)
def test_same_wiring_and_tensors(name):
    from_keras, from_file = both(name)
    assert wiring(from_keras) == wiring(from_file)
    assert len(from_keras.tensors) == len(from_file.tensors)
    assert [t.is_constant for t in from_keras.tensors] == [t.is_constant for t in from_file.tensors]


@pytest.mark.parametrize("name", ALL)
def test_same_resources(name):
    from_keras, from_file = both(name)
    macs = [[operator_macs(g, op) for op in g.operators] for g in (from_keras, from_file)]
    assert macs[0] == macs[1]
    assert working_sets(from_keras) == working_sets(from_file)
    assert arena_head(from_keras) == arena_head(from_file)
    assert arena_tail(from_keras) == arena_tail(from_file)


@pytest.mark.parametrize("name", sorted(set(ALL) - FLASH_DEPENDS_ON_SIGNS))
def test_same_flash(name):
    from_keras, from_file = both(name)
    assert flash_bytes(from_keras) == from_file.file_bytes


@pytest.mark.parametrize(
    ("name", "macs", "working_set", "head"),
    [
        # mcuprune's issue 2 and MLPerf Tiny's reference files give these numbers.
        ("digits_cnn", 157_312, 1_280, 1_280),
        ("resnet8", 12_501_632, 49_152, 49_152),
        ("dscnn", 2_656_768, 16_000, 16_000),
        ("fc_autoencoder", 264_192, 768, 768),
        ("mobilenet_v1_025", 7_489_664, 55_296, 73_728),
    ],
)
def test_published_numbers(name, macs, working_set, head):
    from_keras, _ = both(name)
    assert sum(operator_macs(from_keras, op) for op in from_keras.operators) == macs
    assert max(working_sets(from_keras)) == working_set
    assert arena_head(from_keras) == head
