import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mcuprune.ir.device_forms import in_device_form


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.UpSampling1D(3), (7, 2)),
        (layers.UpSampling2D(2), (5, 4, 3)),
        (layers.UpSampling2D((3, 7)), (5, 11, 3)),
        (layers.UpSampling2D(2, interpolation="bilinear"), (4, 4, 2)),
    ],
)
def test_resizing_gives_the_numbers_of_repetition(layer: keras.Layer, shape: tuple) -> None:
    usual, changed = computed(layer, shape)
    np.testing.assert_array_equal(changed, usual)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.LayerNormalization(epsilon=0.1), (3, 4, 5)),
        (layers.LayerNormalization(scale=False), (6,)),
        (layers.LayerNormalization(axis=1), (3, 4)),
        (layers.RMSNormalization(), (3, 5)),
        (layers.GroupNormalization(2, epsilon=0.2), (3, 4, 6)),
        (layers.GroupNormalization(-1, center=False), (5, 4)),
    ],
)
def test_normalizations_without_negation_give_the_same(layer: keras.Layer, shape: tuple) -> None:
    usual, changed = computed(layer, shape)
    np.testing.assert_allclose(changed, usual, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"padding": "causal", "dilation_rate": 2, "activation": "relu"},
        {"padding": "same", "strides": 2},
        {"padding": "valid", "dilation_rate": 3},
    ],
)
def test_a_convolution_over_time_with_one_filter_gives_the_same(options: dict) -> None:
    usual, changed = computed(layers.Conv1D(1, 3, **options), (12, 4))
    np.testing.assert_allclose(changed, usual, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"strides": 2}, {"padding": "same", "strides": 2}, {"output_padding": 1}]
)
def test_a_transposed_convolution_over_time_with_one_filter_gives_the_same(options: dict) -> None:
    layer = layers.Conv1DTranspose(1, 3, activation="relu", **{"strides": 3, **options})
    usual, changed = computed(layer, (6, 4))
    np.testing.assert_allclose(changed, usual, atol=1e-6)


def test_a_summand_of_one_channel_is_no_bias_in_a_batch_of_one() -> None:
    # Twelve steps, twelve channels: Keras would add the second along the channels.
    inputs = keras.Input((12, 4))
    wide, narrow = layers.Conv1D(12, 1)(inputs), layers.Conv1D(1, 1)(inputs)
    model = keras.Model(inputs, wide + narrow)
    x = np.random.default_rng(0).normal(size=(2, 12, 4)).astype("float32")
    expected = model(x).numpy()[:1]
    with in_device_form(model):
        np.testing.assert_allclose(model(x[:1]).numpy(), expected, atol=1e-6)


def test_a_table_is_looked_up_by_one_operator() -> None:
    layer = layers.Embedding(7, 3)
    places = np.int32([[0, 6, 2, 2]])
    usual = np.asarray(layer(places))
    with in_device_form(layer):
        traced = tf.function(layer).get_concrete_function(tf.TensorSpec((1, 4), tf.int32))
    kinds = {operation.type for operation in traced.graph.get_operations()}
    assert "GatherV2" in kinds
    assert not {"Select", "SelectV2", "Where", "Less"} & kinds
    np.testing.assert_array_equal(traced(tf.constant(places)), usual)


def computed(layer: keras.Layer, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return what a layer computes as ever, and in its form for the device."""
    rng = np.random.default_rng(0)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
    x = rng.normal(size=(2, *shape)).astype("float32")
    usual = model(x).numpy()
    with in_device_form(model):
        changed = model(x).numpy()
    assert "call" not in vars(layer)
    return usual, changed
