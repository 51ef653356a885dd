from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digit_images():
    """The 1,797 digits as (n, 8, 8, 1) in 0 to 1, shuffled, and their labels."""
    digits = load_digits()
    order = np.random.RandomState(0).permutation(len(digits.target))
    images = (digits.images[order] / 16).astype(np.float32)[..., np.newaxis]
    return images, digits.target[order]


@pytest.fixture(scope="session")
def digits_model(digit_images):
    """A small CNN after three epochs on 1,197 digits."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    x = inputs
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x), name="digits_small")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = digit_images
    model.fit(images[:1197], labels[:1197], epochs=3, batch_size=16, verbose=0)
    return model


@pytest.fixture(scope="session")
def digits_tflite(digits_model, digit_images):
    """The small CNN as full int8."""
    from mcuprune.deployment.convert import convert_int8

    return convert_int8(digits_model, digit_images[0][:100])
