"""Trains a small network on several devices: a program, for TensorFlow splits them when it starts.

Arguments: number of devices, folder for the results, and the epoch after which the process dies.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from test_backup import Digits

import mcuprune

BUDGET = mcuprune.Budget(sram="3KiB", flash="8KiB")
EPOCHS = 7


def network() -> Any:
    layers = keras.layers
    # Batch norm takes its statistics over all devices: the mathematics is that of one.
    norm = layers.BatchNormalization(momentum=0.9, synchronized=True)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="edges"),
            norm,
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="shapes"),
            layers.Flatten(),
            layers.Dense(24, activation="relu", name="parts"),
            layers.Dense(10, name="classes"),
        ]
    )


def train(folder: Path, killed_after: int | None) -> Any:
    keras.utils.set_random_seed(2)
    with tf.distribute.MirroredStrategy().scope():
        model = network()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.003), loss)
    data = Digits()

    def begin(epoch: int, _: Any) -> None:
        data.epoch = epoch

    def end(epoch: int, _: Any) -> None:
        if epoch == killed_after:
            os._exit(9)

    watch = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
    pruning = mcuprune.MCUPruning(
        BUDGET, start_epoch=1, end_epoch=5, cuts=2, backup_dir=folder / "backup"
    )
    model.fit(data, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[pruning, watch])
    return model


def main(devices: int, folder: Path, killed_after: int | None = None) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(cpu, logical)
    model = train(folder, killed_after)
    model.save(folder / "model.keras")
    deployed = mcuprune.deploy(model, calibration=Digits().x[:64], out=folder / "deployment")
    result = {
        "replicas": model.distribute_strategy.num_replicas_in_sync,
        "flash": deployed.resources.flash_bytes,
        "sram": deployed.resources.peak_sram_bytes,
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
