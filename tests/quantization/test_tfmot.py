"""tensorflow-model-optimization's own training with int8, and its clusters, on a small network."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.tf_keras_file import convert_tf_keras
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import quantized_inputs
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.quantization.tfmot import cluster_tfmot, quantize_aware_tfmot, stripped_of_clusters


@pytest.fixture(autouse=True)
def _legacy_keras(monkeypatch):
    """Let what tfmot sets in the environment end with the test."""
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    pytest.importorskip("tensorflow_model_optimization", reason="needs the extra tf-keras")


def network():
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Conv2D(4, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.ReLU(name="relu"),
        keras.layers.GlobalAveragePooling2D(name="average"),
        keras.layers.Dense(3, name="classes"),
    ]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


def fitted(model):
    """Train a model of tf_keras a little."""
    import tf_keras

    inputs = np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype("float32")
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf_keras.optimizers.Adam(1e-3), loss)
    model.fit(inputs, np.arange(64) % 3, epochs=4, verbose=0)
    return inputs


def test_the_file_answers_as_the_trained_model_does():
    model = network()
    before = [weight.copy() for weight in model.get_weights()]
    aware = quantize_aware_tfmot(model)
    inputs = fitted(aware)
    tflite = convert_tf_keras(aware)
    answers = LiteRT().run(tflite, quantized_inputs(tflite, [inputs])).outputs.astype(int)
    scale, zero = output_quantization(tflite)
    expected = np.round(aware.predict(inputs, verbose=0) / scale) + zero
    assert np.abs(answers - np.clip(expected, -128, 127)).max() <= 1
    for now, earlier in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, earlier)
    # The same operators as quantized after training.
    files = (tflite, convert_int8(model, inputs))
    kinds = [[operator.kind for operator in parse_tflite(f, "any").operators] for f in files]
    assert kinds[0] == kinds[1]


def output_quantization(tflite):
    interpreter = Interpreter(model_content=tflite)
    return interpreter.get_output_details()[0]["quantization"]


def test_clusters_come_back_as_a_plain_model():
    clustered = cluster_tfmot(network(), 4)
    inputs = fitted(clustered)
    plain = stripped_of_clusters(clustered)
    assert isinstance(plain, keras.Model)
    for name in ("conv", "classes"):
        assert len(np.unique(np.asarray(plain.get_layer(name).kernel))) <= 4
    expected = clustered.predict(inputs, verbose=0)
    np.testing.assert_allclose(plain.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_what_tfmot_does_not_know_is_refused():
    model = keras.Sequential([keras.Input((8, 2)), keras.layers.Conv1D(3, 3)])
    with pytest.raises(UnsupportedModelError, match=r"cannot quantize.*use mcuprune\.quantize"):
        quantize_aware_tfmot(model)
