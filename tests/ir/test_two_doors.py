"""The graph read from Keras and the one read from the converted file are the same.

The converter is the independent side: every expectation is read from a file that it made anew.
"""

from __future__ import annotations

import functools

import pytest
from all_networks import NETWORKS, SINGLE_ACTIVATIONS, randomised
from files_of_models import converted_file
from graph_description import described, wiring

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import operator_macs
from mcuprune.cost.memory import arena_head, arena_tail, working_sets
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.recipes import models

REFERENCES = ("digits_cnn", "resnet8", "dscnn", "mobilenet_v1_025", "fc_autoencoder")
ALL = tuple(
    pytest.param(name, marks=pytest.mark.slow if name in SINGLE_ACTIVATIONS else ())
    for name in (*REFERENCES, *NETWORKS)
)
# Calibration decides the bytes of a constant that shares its scale with a tensor; training decides
# the sign of a factor, and with it whether its one byte is 127 or -128. A few bytes of padding
# depend on the order in which the converter stores constants of different length.
FLASH_NOT_FORESEEN = frozenset(
    {
        "activation_celu",
        "activation_hard_shrink",
        "constants_given_to_operations",
        "operations_on_tensors",
        "permuted_over_ones",
        "relu_with_other_limits",
        "relu_with_slope_and_limit",
        "relu_with_threshold_and_limit",
        "units_of_one",
    }
)
# One network per kind of operator whose cost is not in the MLPerf Tiny models.
RUN_BY_TFLM = (
    "channels_shuffled",
    "constants_that_stand_first",
    "depth_to_space",
    "divided_by_a_tensor",
    "elu_layer",
    "group_normalization",
    "layer_normalization",
    "one_row_taken",
    "relu_with_threshold",
    "resized_to_nearest",
    "rms_normalization",
    "sigmoid_joined_with_others",
    "split_at_positions",
    "split_in_equal_parts",
    "squared_and_rooted",
    "stacked_features",
    "u_net",
    "u_net_upsampled",
    "upsampled_by_three_and_nearest",
    "unit_normalization",
)


def build(name):
    if name in NETWORKS:
        return NETWORKS[name]()
    return randomised(getattr(models, name)())


@functools.cache
def both(name):
    """Return the graph from Keras and the graph from the file."""
    model = build(name)
    return graph_from_keras(model), parse_tflite(converted_file(model), name)


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


@pytest.mark.parametrize("name", [p for p in ALL if p.values[0] not in FLASH_NOT_FORESEEN])
def test_same_flash(name):
    from_keras, from_file = both(name)
    assert flash_bytes(from_keras) == from_file.file_bytes


@pytest.mark.parametrize("name", RUN_BY_TFLM)
def test_same_arena_as_tflm(name):
    model = build(name)
    graph = graph_from_keras(model)
    measured = TFLM().arena(converted_file(model))
    assert (arena_head(graph), arena_tail(graph)) == (measured.head_bytes, measured.tail_bytes)


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
