"""What TFLM lacks is told before a training, and by its layers when a model is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune import Budget, Pruner, deploy
from mcuprune.errors import ConversionError, EngineError

layers = keras.layers
LACKING = {"gelu": "GELU", "softplus": "EXP, LOG", "selu": "EXP, SELECT"}
HAVING = ("relu", "silu", "hard_silu", "elu", "tanh")


def network(activation):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3)(inputs)
    x = layers.Flatten()(layers.Activation(activation, name="act")(x))
    model = keras.Model(inputs, layers.Dense(3)(x))
    model.compile("sgd", "mse")
    return model


def noise():
    return np.random.default_rng(0).normal(size=(20, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("activation", LACKING)
def test_missing_kernels_are_told_before_and_by_layer(activation, tmp_path):
    model, told = network(activation), rf"'act' \({LACKING[activation]}\)"
    with pytest.warns(UserWarning, match=told):
        Pruner(model, Budget(flash=10**6))
    with pytest.raises((ConversionError, EngineError), match=told):
        deploy(model, noise(), tmp_path / "deployed")


@pytest.mark.parametrize("activation", HAVING)
def test_nothing_is_told_of_what_can_be_deployed(activation, tmp_path):
    model = network(activation)
    Pruner(model, Budget(flash=10**6))
    deploy(model, noise(), tmp_path / "deployed")
    assert (tmp_path / "deployed" / "model.tflite").is_file()
