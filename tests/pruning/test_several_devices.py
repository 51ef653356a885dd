"""Two devices that train one network end at the widths of one device, also after a kill."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("train_on_devices.py")
CHECKOUT = Path(__file__).parents[2]


STATISTICS = """
import keras
import tensorflow as tf
from mcuprune.pruning.replicas import average_statistics

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
copies = strategy.experimental_local_results(model.layers[0].moving_mean.value)
copies[0].assign([1.0, 2.0])
copies[1].assign([3.0, 6.0])
average_statistics(model)
assert [copy.numpy().tolist() for copy in copies] == [[2.0, 4.0]] * 2
"""


def run(folder: Path, *arguments: object) -> int:
    """Train in a process of its own; return its exit code."""
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(CHECKOUT), str(PROGRAM.parent)])
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(arguments[0]), str(folder), *map(str, arguments[1:])],
        env={**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 9), done.stderr[-3000:]
    return done.returncode


def trained(folder: Path) -> tuple[dict[str, Any], Any]:
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result, keras.models.load_model(folder / "model.keras")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    folder = tmp_path_factory.mktemp("two")
    assert run(folder, 2) == 0
    return trained(folder)


def shapes(model: Any) -> list[tuple[int, ...]]:
    return [weight.shape for weight in model.get_weights()]


def test_two_devices_end_at_the_widths_of_one(two: Any, tmp_path: Path) -> None:
    assert run(tmp_path, 1) == 0
    alone, model = trained(tmp_path)
    together, pruned = two
    assert (alone["replicas"], together["replicas"]) == (1, 2)
    assert shapes(pruned) == shapes(model)
    assert pruned.get_layer("edges").filters < 16
    # Counted on the deployed file of the model that was trained on two devices.
    assert together["sram"] == alone["sram"] <= 3 * 1024
    assert together["flash"] == alone["flash"] <= 8 * 1024
    assert {type(layer).__module__.split(".")[0] for layer in pruned.layers} == {"keras"}
    assert not [weight.path for weight in pruned.weights if "gate" in weight.path]


def test_a_killed_training_on_two_devices_goes_on(two: Any, tmp_path: Path) -> None:
    between_the_cuts = 3
    assert run(tmp_path, 2, between_the_cuts) == 9
    assert run(tmp_path, 2) == 0
    _, resumed = trained(tmp_path)
    for one, other in zip(resumed.get_weights(), two[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_devices_end_an_epoch_with_the_same_statistics() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STATISTICS],
        cwd=CHECKOUT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
