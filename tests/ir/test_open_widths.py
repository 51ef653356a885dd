"""Graphs with open widths: evaluated, they are the graphs of models built with those widths."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from all_networks import NETWORKS
from graph_description import described, wiring

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut
from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_head, working_sets
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.graph import Dim
from mcuprune.ir.keras_graph import layer_graph
from mcuprune.recipes import models

REFERENCES = ("digits_cnn", "resnet8", "dscnn", "mobilenet_v1_025", "fc_autoencoder")


def open_channels(model, width_of):
    """Name the width of every tensor by its layer: ``width_of`` maps name prefixes to dims."""
    channels = {}
    for key in layer_graph(model).shapes:
        prefix = max((p for p in width_of if key.startswith(p)), key=len, default=None)
        if prefix is not None:
            channels[key] = width_of[prefix]
    return channels


def digits(a, b, c):
    return {"conv1": a, "pool1": a, "conv2": b, "pool2": b, "conv3": c, "average": c}


def resnet8(a, b, c):
    return {"stem": a, "stack1": a, "stack2": b, "stack3": c, "average": c, "flatten": c}


def dscnn(stem, *blocks):
    width_of = {"stem": stem, "input_dropout": stem}
    for index, (before, after) in enumerate(zip((stem, *blocks), blocks, strict=False), start=1):
        width_of |= {f"block{index}_depthwise": before, f"block{index}_pointwise": after}
    return width_of | dict.fromkeys(("output_dropout", "average", "flatten"), blocks[-1])


BUILDERS = {
    "digits": (models.digits_cnn, digits, (5, 7, 9)),
    "resnet8": (models.resnet8, resnet8, (3, 10, 1)),
    "dscnn": (models.dscnn, dscnn, (8, 1, 23, 16, 5)),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_other_widths_give_the_graph_of_the_narrower_model(name):
    build, naming, widths = BUILDERS[name]
    model = build()
    dims = [Dim.width(f"w{i}") for i in range(len(widths))]
    graph = graph_from_keras(model, open_channels(model, naming(*dims)))
    evaluated = graph.at({f"w{i}": width for i, width in enumerate(widths)})
    narrow = graph_from_keras(build(widths=widths))
    assert evaluated == narrow
    assert working_sets(evaluated) == working_sets(narrow)
    assert flash_bytes(evaluated) == flash_bytes(narrow)


def open_and_closed(model):
    groups = coupling_groups(model)
    evaluated = graph_from_keras(model, groups.dims()).at(groups.widths())
    return evaluated, graph_from_keras(model)


@pytest.mark.parametrize("name", REFERENCES)
def test_present_widths_give_exactly_the_closed_graph(name):
    evaluated, closed = open_and_closed(getattr(models, name)())
    assert evaluated == closed


@pytest.mark.parametrize("name", NETWORKS)
def test_present_widths_give_the_closed_operators(name):
    # Numbers of tensors may differ: shapes that are equal by chance are one constant when closed.
    evaluated, closed = open_and_closed(NETWORKS[name]())
    assert described(evaluated) == described(closed)
    assert wiring(evaluated) == wiring(closed)
    assert arena_head(evaluated) == arena_head(closed)


@pytest.mark.parametrize("name", NETWORKS)
def test_widths_of_a_cut_give_the_cut_models_operators(name):
    model = NETWORKS[name]()
    groups = coupling_groups(model)
    if not groups.prunable:
        return
    graph = graph_from_keras(model, groups.dims())
    # Two channels at least: between one channel and one number the converter makes no difference.
    keep = {g.name: np.arange(g.width - 1) for g in groups.prunable if g.width > 2}
    evaluated = graph.at(cut(groups, keep).groups.widths())
    assert described(evaluated) == described(graph_from_keras(model))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_cut_to_one_channel_costs_no_more_than_was_told(name):
    # Where one channel is as good as a number, the converter may do with less.
    model = NETWORKS[name]()
    groups = coupling_groups(model)
    graph = graph_from_keras(model, groups.dims())
    told = graph.at(cut(groups, {g.name: np.arange(1) for g in groups.prunable}).groups.widths())
    closed = graph_from_keras(model)
    for cost in (arena_head, flash_bytes, total_macs):
        assert cost(told) >= cost(closed)


def test_flatten_multiplies_and_concatenation_adds():
    inputs = keras.Input((4, 4, 2))
    left = keras.layers.Conv2D(3, 3, padding="same", name="left")(inputs)
    right = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="right")(left)
    joined = keras.layers.Concatenate(name="joined")([left, right])
    flat = keras.layers.Flatten(name="flat")(joined)
    model = keras.Model(inputs, keras.layers.Dense(5, name="head")(flat))
    a = Dim.width("a")
    channels = {"left/0:0": a, "right/0:0": a * 2, "joined/0:0": a * 3, "flat/0:0": a * 48}
    graph = graph_from_keras(model, channels)
    weights = {op.sources[0]: graph.tensors[op.inputs[1]] for op in graph.operators}
    biases = {op.sources[0]: graph.tensors[op.inputs[-1]] for op in graph.operators}
    assert weights["left"].shape == (a, 3, 3, 2)
    assert weights["left"].quantization_scales == a
    assert weights["right"].shape == (1, 3, 3, a * 2)
    assert weights["right"].quantization_scales == a * 2
    assert weights["head"].shape == (5, a * 48)
    assert biases["right"].shape == (a * 2,)
    assert weights["head"].size_bytes.at({"a": 3}) == 5 * 4 * 4 * 9


def test_a_dim_without_widths_is_a_number():
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 3, name="conv")(inputs))
    fixed = graph_from_keras(model, {"conv/0:0": Dim(3)})
    assert fixed == graph_from_keras(model)
