from __future__ import annotations

import keras
import pytest
from rounding_networks import NETWORKS

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.keras_graph import layer_graph
from mcuprune.quantization.folding import folded
from mcuprune.quantization.placement import shared_ranges

layers = keras.layers


def ranges(model):
    found = shared_ranges(layer_graph(folded(model)))
    return [([key.layer for key in shared.tensors], shared.fixed) for shared in found]


def test_fused_activations_round_once_and_averages_share_their_inputs_scale():
    assert ranges(NETWORKS["residual"]()) == [
        (["image"], None),
        (["stem_relu"], None),
        (["second"], None),
        (["joined", "average"], None),
        (["classes"], None),
    ]


def test_a_mean_has_a_scale_of_its_own_and_final_probabilities_none():
    assert ranges(NETWORKS["separable"]()) == [
        (["image"], None),
        (["limited"], None),
        (["pointwise_activation"], None),
        (["mean"], None),
        (["hidden"], None),
        (["leaky"], None),
        (["classes"], None),
    ]


def test_what_meets_in_a_concatenation_shares_a_scale_and_sigmoids_have_1_256():
    assert ranges(NETWORKS["branches"]()) == [
        (["image"], None),
        (["left_activation", "right"], None),
        (["gate"], None),
        (["gate_activation"], (0.0, 255 / 256)),
        (["gated"], None),
        (["vector"], None),
        (["map"], None),
    ]


def test_relu_after_pooling_keeps_its_scale():
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.MaxPooling2D(2)(layers.Conv2D(2, 3, name="conv")(inputs))
    model = keras.Model(inputs, layers.ReLU(name="relu")(x))
    assert ranges(model) == [(["image"], None), (["conv", "relu"], None)]


def test_relu_fuses_through_dropout():
    inputs = keras.Input((4,), name="features")
    x = layers.Dropout(0.5)(layers.Dense(3, name="dense")(inputs))
    model = keras.Model(inputs, layers.ReLU(name="relu")(x))
    assert ranges(model) == [(["features"], None), (["relu"], None)]


def test_what_an_output_shows_is_rounded_before_its_relu_too():
    inputs = keras.Input((4,), name="features")
    x = layers.Dense(3, name="dense")(inputs)
    model = keras.Model(inputs, [x, layers.ReLU(name="relu")(x)])
    assert [names for names, _ in ranges(model)] == [["features"], ["dense"], ["relu"]]


@pytest.mark.parametrize(
    "layer", [layers.LSTM(3), layers.LayerNormalization(), layers.PReLU(), layers.ELU()]
)
def test_other_layers_are_named_with_those_that_are_known(layer):
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, layer(inputs))
    with pytest.raises(
        UnsupportedModelError, match=rf"'{layer.name}'.*Known are Act.*, Add, .*sigmoid"
    ):
        ranges(model)


def test_arithmetic_with_constants_is_refused():
    inputs = keras.Input((4,))
    with pytest.raises(UnsupportedModelError, match="Multiply"):
        ranges(keras.Model(inputs, inputs * 2.0))
