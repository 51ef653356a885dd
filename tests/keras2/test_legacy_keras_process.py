"""A process in which ``tf.keras`` is Keras 2, as tensorflow-model-optimization makes it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

pytest.importorskip("tf_keras", reason="needs the extra tf-keras")
# Found, not imported: it would make tf.keras Keras 2 in the processes of all later tests.
needs_tfmot = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_model_optimization") is None,
    reason="needs the extra tf-keras",
)

PRUNE_AND_DEPLOY = """
import keras, mcuprune, numpy as np, tensorflow as tf
assert tf.keras.__name__.startswith("tf_keras")
model = keras.Sequential([
    keras.Input((8, 8, 1)), keras.layers.Conv2D(8, 3), keras.layers.ReLU(),
    keras.layers.Flatten(), keras.layers.Dense(10),
])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
x, y = np.random.default_rng(0).random((64, 8, 8, 1), np.float32), np.arange(64) % 10
budget = mcuprune.Budget(flash="6KiB")
pruning = mcuprune.MCUPruning(budget, start_epoch=0, end_epoch=1)
model.fit(x, y, epochs=2, verbose=0, callbacks=[pruning])
deployment = mcuprune.deploy(model, calibration=x, out=sys.argv[1], budget=budget)
print("fits:", deployment.verdict.fits)
"""

CONVERT = """
import mcuprune, numpy as np, tf_keras
import tensorflow_model_optimization as tfmot
def model():
    inputs = tf_keras.Input((8, 8, 1))
    hidden = tf_keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    return tf_keras.Model(inputs, tf_keras.layers.Dense(3)(tf_keras.layers.Flatten()(hidden)))
start = tfmot.clustering.keras.CentroidInitialization.LINEAR
pruned = tfmot.sparsity.keras.prune_low_magnitude(model())
clustered = tfmot.clustering.keras.cluster_weights(model(), 3, start)
for wrapped in (pruned, clustered, tfmot.quantization.keras.quantize_model(model())):
    try:
        mcuprune.from_tf_keras(wrapped)
    except mcuprune.McupruneError as error:
        print("refused:", error)
mcuprune.from_tf_keras(tfmot.sparsity.keras.strip_pruning(pruned))
print("converted")
"""


def run(script, *arguments, **environment):
    found = subprocess.run(
        [sys.executable, "-c", "import sys\n" + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.slow
def test_prunes_and_deploys_where_tf_keras_is_keras_2(tmp_path):
    assert "fits: True" in run(PRUNE_AND_DEPLOY, tmp_path / "out", TF_USE_LEGACY_KERAS="1")


@pytest.mark.slow
@needs_tfmot
def test_prunes_and_deploys_beside_tfmot(tmp_path):
    script = "import tensorflow_model_optimization\n" + PRUNE_AND_DEPLOY
    assert "fits: True" in run(script, tmp_path / "out")


@needs_tfmot
def test_models_of_tfmot_are_refused_until_they_are_stripped():
    magnitude, clusters, quantized, converted = run(CONVERT).splitlines()
    assert "is a PruneLowMagnitude" in magnitude
    assert "call tfmot.sparsity.keras.strip_pruning(model)" in magnitude
    assert "call tfmot.clustering.keras.strip_clustering(model)" in clusters
    assert "convert the float model that you gave to quantize_model" in quantized
    assert converted == "converted"
