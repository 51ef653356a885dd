"""Files that Keras 2 wrote: read where Keras 3 reads them, else with the way out named."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.ir.read import load_keras

tf_keras = pytest.importorskip("tf_keras", reason="needs the extra tf-keras")
layers = tf_keras.layers

WAY_OUT = r"Keras 2\.\S+ wrote it; install mcuprune\[tf-keras\].*mcuprune\.from_tf_keras\(tf_keras"


@pytest.fixture
def depthwise():
    inputs = layers.Input((8, 8, 3))
    return tf_keras.Model(inputs, layers.DepthwiseConv2D(3)(inputs))


def test_h5_that_keras_3_reads(tmp_path):
    inputs = layers.Input((8, 8, 3))
    old = tf_keras.Model(inputs, layers.Dense(3)(layers.Conv2D(4, 3)(inputs)))
    old.save(tmp_path / "old.h5")
    x = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    np.testing.assert_allclose(load_keras(tmp_path / "old.h5")(x), old(x), atol=1e-6)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_file_that_keras_3_refuses(depthwise, tmp_path, ending):
    path = tmp_path / f"old{ending}"
    depthwise.save(path)
    with pytest.raises(InputError, match=WAY_OUT):
        load_keras(path)


def test_saved_model(depthwise, tmp_path):
    depthwise.save(tmp_path / "old")
    with pytest.raises(InputError, match=r"is a SavedModel.*mcuprune\.from_tf_keras\(tf_keras"):
        load_keras(tmp_path / "old")
