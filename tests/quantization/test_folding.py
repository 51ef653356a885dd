from __future__ import annotations

import keras
import numpy as np
import pytest
from rounding_networks import NETWORKS, noise

from mcuprune.errors import UnsupportedModelError
from mcuprune.quantization.folding import folded

layers = keras.layers


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_model_computes_the_same_without_batch_norm(name):
    model = NETWORKS[name]()
    plain = folded(model)
    inputs = noise(4, *model.input_shape[1:])
    expected = keras.tree.flatten(model(inputs, training=False))
    for found, wanted in zip(keras.tree.flatten(plain(inputs)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5, rtol=1e-4)
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in plain.layers)
    assert plain.name == model.name


def test_the_numbers_of_a_folded_dense_layer():
    inputs = keras.Input((1,))
    dense, norm = layers.Dense(1), layers.BatchNormalization(epsilon=0.75)
    model = keras.Model(inputs, norm(dense(inputs)))
    dense.set_weights([np.array([[3.0]]), np.array([1.0])])
    # Gamma 4, beta 5, mean 2, variance 0.25: the deviation is the root of 0.25 + 0.75, which is 1.
    norm.set_weights([np.array([number]) for number in (4.0, 5.0, 2.0, 0.25)])
    kernel, bias = folded(model).layers[-1].get_weights()
    assert kernel.item() == pytest.approx(3 * 4)
    assert bias.item() == pytest.approx((1 - 2) * 4 + 5)


def test_nested_models_and_shared_layers_are_written_flat():
    shared = layers.Dense(3, activation="tanh", name="shared")
    inner_input = keras.Input((3,))
    inner = keras.Model(inner_input, shared(inner_input), name="inner")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, inner(inner(inputs)))
    plain = folded(model)
    given = noise(5, 3)
    np.testing.assert_allclose(plain(given), model(given), atol=1e-6)
    assert [layer.name for layer in plain.layers if layer.weights] == ["inner_shared"]


def test_mixed_precision_is_folded_in_float32():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, dtype="mixed_float16"), layers.ReLU(dtype="float16")]
    )
    assert {layer.compute_dtype for layer in folded(model).layers} == {"float32"}


@pytest.mark.parametrize(
    ("wrap", "reason"),
    [
        (lambda x: layers.BatchNormalization()(x), "follows the input"),
        (lambda x: layers.BatchNormalization()(layers.MaxPooling2D()(x)), "MaxPooling2D"),
        (lambda x: layers.BatchNormalization()(layers.Conv2D(2, 3, activation="relu")(x)), "Conv"),
        (lambda x: layers.BatchNormalization(axis=1)(layers.Conv2D(2, 3)(x)), "axis 1"),
    ],
)
def test_a_batch_norm_that_cannot_be_folded_is_named(wrap, reason):
    inputs = keras.Input((8, 8, 2))
    with pytest.raises(UnsupportedModelError, match=rf"'batch_norm.*{reason}.*Put it right after"):
        folded(keras.Model(inputs, wrap(inputs)))


def test_a_convolution_that_is_read_twice_keeps_its_batch_norm_from_folding():
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 3, name="shared_output")(inputs)
    model = keras.Model(inputs, layers.Add()([x, layers.BatchNormalization()(x)]))
    with pytest.raises(UnsupportedModelError, match="'shared_output' before it is shared, or read"):
        folded(model)
