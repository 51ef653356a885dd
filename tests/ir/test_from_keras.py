from __future__ import annotations

import keras
import pytest
from keras import layers

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.graph import Tensor


def chain(input_shape, *stack):
    inputs = keras.Input(input_shape)
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x, name="net")


def test_operators_name_the_layers_they_hold():
    model = chain(
        (8, 8, 3),
        layers.Conv2D(4, 3, padding="same", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(name="act"),
        layers.Dropout(0.5, name="drop"),
        layers.GlobalAveragePooling2D(name="mean"),
    )
    graph = graph_from_keras(model)
    assert [op.kind for op in graph.operators] == ["CONV_2D", "MEAN"]
    assert graph.operators[0].sources == ("conv", "norm", "act")
    assert graph.operators[0].attributes["fused_activation"] == "RELU"
    weights, bias = (graph.tensors[i] for i in graph.operators[0].inputs[1:])
    assert weights.shape == (4, 3, 3, 3)
    assert weights.quantization_scales == 4
    assert bias == Tensor("conv/bias", (4,), 32, "int32", True, False, 4, buffer=bias.buffer)
    assert graph.tensors[graph.outputs[0]].shape == (1, 4)


def test_sequential_models_are_read_too():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, activation="relu")])
    (dense,) = graph_from_keras(model).operators
    assert dense.kind == "FULLY_CONNECTED"


@pytest.mark.parametrize(
    ("names", "order"),
    [
        # The converter compares names: a branch whose names come first runs first.
        (("a", "b", "c"), ["a", "b", "c", "sum"]),
        (("c", "b", "a"), ["a", "c", "b", "sum"]),
        (("conv2d_8", "conv2d_9", "conv2d_10"), ["conv2d_10", "conv2d_8", "conv2d_9", "sum"]),
    ],
)
def test_order_of_branches_follows_names(names, order):
    first, second, shortcut = names
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(6, 3, padding="same", name=first)(inputs)
    x = layers.Conv2D(6, 3, padding="same", name=second)(x)
    y = layers.Conv2D(6, 1, name=shortcut)(inputs)
    graph = graph_from_keras(keras.Model(inputs, layers.Add(name="sum")([y, x]), name="net"))
    assert [op.sources[0] for op in graph.operators] == order


@pytest.mark.parametrize(
    ("model_name", "order"),
    [
        # "input" comes after "anet": all weights are ready by then, and whole branches follow.
        ("anet", ["a", "d", "b", "c", "e"]),
        # "input" comes before "znet": each layer waits for its weights, taken by name.
        ("znet", ["a", "b", "c", "d", "e"]),
    ],
)
def test_order_depends_on_when_the_input_is_taken(model_name, order):
    inputs = keras.Input((8, 8, 4))
    ends = []
    for first, second in ("ad", "bc"):
        x = layers.Conv2D(4, 3, padding="same", name=first)(inputs)
        ends.append(layers.Conv2D(4, 3, padding="same", name=second)(x))
    model = keras.Model(inputs, layers.Add(name="e")(ends), name=model_name)
    assert [op.sources[0] for op in graph_from_keras(model).operators] == order


def test_biases_of_zeros_share_their_bytes():
    model = chain(
        (8, 8, 4),
        layers.Conv2D(4, 3, use_bias=False),
        layers.DepthwiseConv2D(3, use_bias=False),
        layers.Conv2D(4, 1),
    )
    graph = graph_from_keras(model)
    first, second, third = (graph.tensors[op.inputs[2]].buffer for op in graph.operators)
    assert first == second != third


def test_a_gated_layer_is_read_as_its_base():
    model = chain((8, 8, 3), layers.Conv2D(4, 3, name="conv"))
    expected = graph_from_keras(model)
    layer = model.get_layer("conv")
    layer.__class__ = type("GatedConv2D", (layers.Conv2D,), {"_mcuprune_base": layers.Conv2D})
    assert graph_from_keras(model) == expected


@pytest.mark.parametrize(
    ("layer", "found", "advice"),
    [
        (
            layers.UpSampling2D(2, interpolation="bicubic", name="up"),
            "layer 'up'",
            "interpolation='nearest'",
        ),
        (
            layers.Conv2DTranspose(3, 3, dilation_rate=2, name="wide"),
            "layer 'wide' (Conv2DTranspose)",
            "use dilation_rate=1",
        ),
    ],
)
def test_an_option_that_even_the_converter_refuses_is_refused_by_name(layer, found, advice):
    with pytest.raises(UnsupportedModelError) as caught:
        graph_from_keras(chain((8, 8, 3), layer))
    assert found in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "kinds"),
    [
        (layers.Softmax(axis=1, name="turned"), ["TRANSPOSE", "SOFTMAX", "TRANSPOSE"]),
        (
            layers.MaxPooling2D(2, data_format="channels_first", name="turned"),
            ["TRANSPOSE", "MAX_POOL_2D", "TRANSPOSE"],
        ),
    ],
)
def test_a_layer_whose_options_have_no_rule_is_converted_alone(layer, kinds):
    graph = graph_from_keras(chain((8, 8, 3), layer))
    assert [op.kind for op in graph.operators] == kinds
    assert graph.converted_layers == (f"turned ({type(layer).__name__})",)


def test_an_open_image_size_is_refused():
    with pytest.raises(UnsupportedModelError, match="full shape"):
        graph_from_keras(chain((None, 8, 3), layers.Conv2D(4, 3)))
