"""Layers without a rule: counted by converting them alone, held against whole converted files."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from small_networks import randomised

from mcuprune.cost.macs import total_macs
from mcuprune.cost.resources import estimate
from mcuprune.deployment.strip import strip
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir import layer_conversion
from mcuprune.ir.device_forms import in_device_form
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Dim
from mcuprune.ir.int8_converter import convert_traced


def model_of(shape, body, dtype="float32"):
    keras.utils.clear_session()
    inputs = keras.Input(shape, dtype=dtype)
    return randomised(keras.Model(inputs, body(inputs)))


def converted_whole(model):
    """Convert a model of one input, real or integer."""
    tensor = model.inputs[0]
    signature = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name="input")]
    traced = tf.function(lambda x: model(x, training=False), input_signature=signature)
    random = np.random.RandomState(0)

    def samples():
        for _ in range(4):
            real = random.normal(size=signature[0].shape)
            yield [(real if tensor.dtype == "float32" else real > 0).astype(tensor.dtype)]

    with in_device_form(model):
        file = convert_traced(traced.get_concrete_function(), samples)
    return parse_tflite(strip(file), model.name)


class Mixing(layers.Layer):
    """A user's layer with weights: a product, a bias, an activation."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, x):
        return ops.tanh(ops.matmul(x, self.kernel) + self.bias)


class Residual(keras.Model):
    """A subclassed model, to be nested."""

    def __init__(self):
        super().__init__()
        self.inner = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.outer = layers.Conv2D(6, 1)

    def call(self, x):
        return x + self.outer(self.inner(x))


def self_attention(x):
    x = layers.Reshape((36, 16))(layers.Conv2D(16, 3, activation="relu")(x))
    x = layers.MultiHeadAttention(2, 8, name="mha")(x, x)
    return layers.Dense(5)(layers.GlobalAveragePooling1D()(x))


def attention(x):
    x = layers.Attention()([layers.Dense(8)(x), layers.Dense(8)(x)])
    return layers.Dense(5)(layers.Flatten()(x))


def embedding(x):
    x = layers.Conv1D(6, 3, activation="relu")(layers.Embedding(50, 8)(x))
    return layers.Dense(5)(layers.GlobalAveragePooling1D()(x))


def simple_rnn(x):
    return layers.Dense(3)(layers.SimpleRNN(5, unroll=True)(x))


def gru(x):
    return layers.Dense(5)(layers.GRU(6, unroll=True, return_sequences=True)(x))


def each_image(x):
    x = layers.TimeDistributed(layers.Conv2D(4, 3))(x)
    return layers.Dense(5)(layers.Flatten()(x))


def each_frame(x):
    return layers.Flatten()(layers.TimeDistributed(layers.Dense(4, activation="relu"))(x))


def users_layer(x):
    x = Mixing(5)(layers.Conv2D(6, 3, activation="relu")(x))
    return layers.Dense(5)(layers.GlobalAveragePooling2D()(x))


def float_only(x):
    x = layers.Lambda(ops.sin)(layers.Conv2D(6, 3, activation="relu")(x))
    return layers.Conv2D(6, 3)(x)


def subclassed(x):
    x = Residual()(layers.Conv2D(6, 3, activation="relu")(x))
    return layers.Dense(5)(layers.GlobalAveragePooling2D()(x))


NETWORKS = {
    self_attention: ((8, 8, 3), "float32"),
    attention: ((12, 6), "float32"),
    embedding: ((12,), "int32"),
    simple_rnn: ((6, 4), "float32"),
    each_image: ((3, 8, 8, 2), "float32"),
    each_frame: ((4, 6), "float32"),
    users_layer: ((8, 8, 3), "float32"),
    float_only: ((8, 8, 3), "float32"),
    subclassed: ((8, 8, 3), "float32"),
}


@pytest.mark.parametrize("body", NETWORKS, ids=lambda body: body.__name__)
def test_same_cost_as_the_whole_file(body):
    shape, dtype = NETWORKS[body]
    model = model_of(shape, body, dtype)
    from_keras, from_file = graph_from_keras(model), converted_whole(model)
    kinds = [[op.kind for op in graph.operators] for graph in (from_keras, from_file)]
    assert kinds[0] == kinds[1]
    predicted, counted = estimate(from_keras), estimate(from_file)
    assert predicted.arena_head_bytes == counted.arena_head_bytes
    assert predicted.arena_tail_bytes == counted.arena_tail_bytes
    assert predicted.flash_bytes == counted.flash_bytes
    assert (predicted.macs, predicted.params) == (counted.macs, counted.params)


def two_way_lstm(x):
    return layers.Dense(3)(layers.Bidirectional(layers.LSTM(5, unroll=True))(x))


def lstm_after_convolution(x):
    x = layers.Conv1D(8, 3, activation="relu")(x)
    return layers.Dense(3)(layers.LSTM(6, unroll=True)(x))


@pytest.mark.parametrize("body", [two_way_lstm, lstm_after_convolution, gru])
def test_nearly_the_same_cost_as_the_whole_file(body):
    # The converter itself gives an unrolled LSTM or GRU up to eight requantizing operators more or
    # less from one run to the next, each of under 200 bytes.
    model = model_of((6, 4), body)
    predicted, counted = estimate(graph_from_keras(model)), estimate(converted_whole(model))
    assert abs(len(predicted.operators) - len(counted.operators)) <= 8
    assert predicted.arena_total_bytes == pytest.approx(counted.arena_total_bytes, abs=8 * 200)
    assert predicted.flash_bytes == pytest.approx(counted.flash_bytes, abs=8 * 200)
    assert (predicted.macs, predicted.params) == (counted.macs, counted.params)


@pytest.mark.parametrize(
    ("shape", "dtype", "layer", "macs", "params"),
    [
        # Every word looks its 8 numbers up.
        ((12,), "int32", layers.Embedding(50, 8), 0, 50 * 8),
        ((9, 4), "float32", Mixing(7), 9 * 4 * 7, 4 * 7 + 7),
        # Every step reads the input, all but the first, whose state is zero, the state. Each of
        # the six steps has a bias of its own in the file.
        ((6, 4), "float32", layers.SimpleRNN(5), 6 * 4 * 5 + 5 * 5 * 5, 4 * 5 + 5 * 5 + 6 * 5),
    ],
)
def test_counts_by_hand(shape, dtype, layer, macs, params):
    resources = estimate(graph_from_keras(model_of(shape, layer, dtype)))
    assert (resources.macs, resources.params) == (macs, params)


def test_attention_by_hand():
    resources = estimate(
        graph_from_keras(model_of((36, 16), lambda x: layers.MultiHeadAttention(2, 8)(x, x)))
    )
    # Query, key, value and output; then each of 36 places meets 36, in 2 heads of 8, twice.
    assert resources.macs == 4 * 36 * 16 * 16 + 2 * 36 * 36 * 2 * 8
    # And the factor 1 / sqrt(8).
    assert resources.params == 4 * (16 * 16 + 16) + 1


def test_the_layers_are_named_by_path_and_class():
    encoder = keras.Sequential([keras.Input((6, 4)), Mixing(4, name="mine")], name="encoder")
    model = model_of((6, 4), lambda x: layers.GRU(3, name="gru")(encoder(x)))
    expected = ("encoder/mine (Mixing)", "gru (GRU)")
    assert graph_from_keras(model).converted_layers == expected
    assert estimate(graph_from_keras(model)).converted_layers == expected


def test_a_rolled_layer_counts_as_unrolled_and_stays_rolled():
    rolled = model_of((6, 4), layers.SimpleRNN(3, name="rnn"))
    unrolled = model_of((6, 4), layers.SimpleRNN(3, name="rnn", unroll=True))
    counts = [len(graph_from_keras(model).operators) for model in (rolled, unrolled)]
    assert counts[0] == counts[1] > 6
    assert rolled.get_layer("rnn").unroll is False


def test_the_layer_is_left_as_it_was():
    inputs = keras.Input((6, 4))
    layer = layers.TimeDistributed(layers.Dense(3, dtype="mixed_float16"), dtype="mixed_float16")
    model = keras.Model(inputs, layer(inputs))
    before = model.get_weights()
    graph = graph_from_keras(model)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert layer.compute_dtype == layer.layer.compute_dtype == "float16"
    assert len(layer._inbound_nodes) == 1
    assert {tensor.dtype for tensor in graph.tensors} == {"int8", "int32"}


def test_a_fresh_layer_counts_like_a_trained_one():
    inputs = keras.Input((9, 4))
    fresh = keras.Model(inputs, Mixing(7)(inputs))
    kinds = [op.kind for op in graph_from_keras(fresh).operators]
    trained = [op.kind for op in graph_from_keras(randomised(fresh)).operators]
    assert kinds == trained
    assert estimate(graph_from_keras(fresh)).params == 4 * 7 + 7


def test_several_outputs():
    def body(x):
        sequence, hidden, cell = layers.LSTM(5, return_state=True, return_sequences=True)(x)
        return [sequence, hidden, cell]

    graph = graph_from_keras(model_of((6, 4), body))
    assert [graph.tensors[i].shape for i in graph.outputs] == [(1, 6, 5), (1, 5), (1, 5)]


def test_a_state_alone_is_enough():
    def body(x):
        _, _, cell = layers.LSTM(5, return_state=True)(x)
        return layers.Dense(2)(cell)

    graph = graph_from_keras(model_of((6, 4), body))
    assert graph.operators[-1].kind == "FULLY_CONNECTED"
    assert graph.tensors[graph.operators[-1].inputs[0]].shape == (1, 5)


def test_keywords_and_masks_reach_the_layer():
    def body(x):
        mask = keras.ops.not_equal(x[..., 0], 0.0)
        return layers.MultiHeadAttention(2, 4)(x, value=x, key_mask=mask, use_causal_mask=True)

    kinds = [op.kind for op in graph_from_keras(model_of((6, 4), body)).operators]
    assert {"NOT_EQUAL", "SELECT_V2"} <= set(kinds)


def test_a_shared_layer_keeps_its_weights_once():
    shared = Mixing(4)
    model = model_of((6, 4), lambda x: shared(shared(x)))
    graph = graph_from_keras(model)
    weights = [t for t in graph.constants() if t.shape == (4, 4)]
    assert len(weights) == 1
    assert total_macs(graph) == 2 * 6 * 4 * 4


def test_a_call_is_converted_once(monkeypatch):
    model = model_of((6, 4), Mixing(3))
    first = graph_from_keras(model)

    def fail(*_, **__):
        raise AssertionError("converted again")

    monkeypatch.setattr(layer_conversion, "convert_traced", fail)
    assert graph_from_keras(model) == first


def widths_model(channels):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(channels, 3, name="conv")(inputs)
    x = Mixing(channels, name="mine")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="mean")(x))


def test_dimensions_equal_to_an_open_width_follow_it():
    width = Dim.width("a")
    keys = ("conv/0:0", "mine/0:0", "mean/0:0")
    graph = graph_from_keras(widths_model(7), dict.fromkeys(keys, width))
    for channels in (7, 4):
        exact = estimate(graph_from_keras(widths_model(channels)))
        followed = estimate(graph.at({"a": channels}))
        assert (followed.macs, followed.params) == (exact.macs, exact.params)
        assert followed.arena_total_bytes == exact.arena_total_bytes


def test_dimensions_of_an_ambiguous_number_stay():
    # The image is 6 by 6 as well.
    keys = ("conv/0:0", "mine/0:0", "mean/0:0")
    graph = graph_from_keras(widths_model(6), dict.fromkeys(keys, Dim.width("a")))
    inner = [op for op in graph.operators if op.sources == ("mine",)]
    assert all(graph.tensors[i].shape == (6, 6) for op in inner[:1] for i in op.inputs[1:2])


class Counting(layers.Layer):
    def call(self, x):
        return ops.fori_loop(0, 3, lambda _, y: y + y, x)


class Table(layers.Layer):
    def call(self, _):
        return ops.reshape(ops.arange(4, dtype="float32"), (1, 4))


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (layers.Lambda(ops.erfinv, name="odd"), "'tf.Erfinv' op is neither a custom op"),
        (Counting(name="odd"), "'.*while' is a loop or a branch"),
        (Table(name="odd"), "an output is the same for every input"),
    ],
)
def test_what_cannot_be_converted_is_named(layer, reason):
    model = model_of((4,), layer)
    kind = type(layer).__name__
    with pytest.raises(UnsupportedModelError, match=rf"layer 'odd' \({kind}\).*{reason}.*Replace"):
        graph_from_keras(model)
