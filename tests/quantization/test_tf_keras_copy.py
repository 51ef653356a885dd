"""Keras 3 models as tf_keras models: equal outputs, weights and names."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.errors import UnsupportedModelError
from mcuprune.recipes.models import digits_cnn, dscnn, resnet8

tf_keras = pytest.importorskip("tf_keras", reason="needs the extra tf-keras")

from mcuprune.quantization.tf_keras_copy import to_tf_keras  # noqa: E402


def trained(model):
    """Give batch norms other statistics than those of a fresh model."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in ("moving_variance", "gamma"):
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
        elif weight.name in ("moving_mean", "beta", "bias"):
            weight.assign(random.normal(size=weight.shape))
    return model


def nested():
    inputs = keras.Input((6, 6, 2))
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), keras.layers.Conv2D(4, 3), keras.layers.LeakyReLU(0.3)],
        name="encoder",
    )
    shared = keras.layers.Dense(3, name="shared")
    pooled = keras.layers.GlobalAveragePooling2D()(inner(inputs))
    joined = keras.layers.Concatenate()([shared(pooled), shared(keras.layers.ReLU(6.0)(pooled))])
    return keras.Model(inputs, joined)


@pytest.mark.parametrize("build", [digits_cnn, resnet8, dscnn, nested])
def test_it_computes_the_same(build):
    model = trained(build())
    copy = to_tf_keras(model)
    assert isinstance(copy, tf_keras.Model)
    inputs = np.random.default_rng(1).normal(size=(4, *model.input_shape[1:])).astype("float32")
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(copy(inputs, training=False), expected, rtol=1e-4, atol=1e-5)
    assert copy.count_params() == model.count_params()


def test_what_keras_2_lacks_is_named():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.ops.sqrt(inputs)))
    with pytest.raises(UnsupportedModelError, match=r"layer 'sqrt.*which Keras 2 does not have"):
        to_tf_keras(model)
