import keras
import numpy as np
import pytest
from keras import layers

from mcuprune.ir.upsampling import upsampled_by_resizing


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
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    usual = model(x).numpy()
    with upsampled_by_resizing(model):
        np.testing.assert_array_equal(model(x).numpy(), usual)
    assert "call" not in vars(layer)
