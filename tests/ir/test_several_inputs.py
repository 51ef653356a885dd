"""Models with several inputs and outputs: the same graph from Keras as from the converted file."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from graph_description import described, wiring
from keras import layers
from small_networks import randomised

from mcuprune.cost.resources import estimate
from mcuprune.deployment.convert import convert_int8
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite


def image_and_numbers(name):
    image, numbers = keras.Input((8, 8, 1), name="image"), keras.Input((6,), name="numbers")
    seen = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(image))
    both = layers.Concatenate()([seen, layers.Dense(8, activation="relu")(numbers)])
    outputs = [layers.Dense(3, activation="softmax")(both), layers.Dense(1)(both)]
    return keras.Model([image, numbers], outputs, name=name)


def three_sensors(name):
    inputs = [keras.Input((width,)) for width in (8, 6, 5)]
    told = [layers.Dense(8 + i, activation="relu")(x) for i, x in enumerate(inputs)]
    outputs = [layers.Dense(3)(layers.Concatenate()(told[::-1])), layers.Dense(1)(told[1])]
    return keras.Model(inputs, outputs, name=name)


def siamese(name):
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(5, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(6),
        ]
    )
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = layers.Subtract()([encoder(left), encoder(right)])
    return keras.Model([left, right], layers.Dense(2)(apart), name=name)


# The converter's order depends on whether the model's name comes before "input".
@pytest.mark.parametrize("name", ["before", "later"])
@pytest.mark.parametrize("build", [image_and_numbers, three_sensors, siamese])
def test_same_graph_through_both_doors(build, name):
    keras.utils.clear_session()
    model = randomised(build(name))
    random = np.random.RandomState(0)
    samples = [random.normal(size=(8, *tensor.shape[1:])) for tensor in model.inputs]
    from_file = parse_tflite(convert_int8(model, samples), name)
    from_keras = graph_from_keras(model)
    assert described(from_keras) == described(from_file)
    assert wiring(from_keras) == wiring(from_file)
    predicted, counted = estimate(from_keras), estimate(from_file)
    assert predicted.arena_total_bytes == counted.arena_total_bytes
    assert predicted.flash_bytes == counted.flash_bytes
