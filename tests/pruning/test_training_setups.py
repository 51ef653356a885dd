"""MCUPruning under the optimizers, inputs, options and callbacks that people train with.

After each training the model is plain, within its budget, saves and reloads to identical outputs,
and its optimizer goes on. The quick ones run eagerly, which spares a trace per cut; the slow ones
run the same as graphs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune import Budget, MCUPruning
from mcuprune.cost.macs import total_macs
from mcuprune.ir.from_keras import graph_from_keras

Arrays = tuple[np.ndarray, np.ndarray]
optimizers = keras.optimizers
# 36*9*8 (stem) + 36*9*8 (depthwise) + 36*8*8 (mix) + 80 (dense) = 7,568 MACs uncut.
BUDGET = Budget(macs=4_000)


def network() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Conv2D(8, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, dtype="float32")(x))


@pytest.fixture
def few(digits: Arrays) -> Arrays:
    return digits[0][:64], digits[1][:64]


def train(model: Any, *data: Any, callbacks: tuple[Any, ...] = (), **options: Any) -> Any:
    """Train for three epochs, of which the second ends pruning."""
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=2, cuts=2)
    options = {"epochs": 3, "verbose": 0, **options}
    return model.fit(*data, callbacks=[*callbacks, pruning], **options)


def compile_with(model: Any, optimizer: Any = "adam", **options: Any) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, **options)


def require_sound(model: Any, data: Arrays, folder: Path) -> None:
    """Hold the trained model to what is promised of it."""
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert not [weight.path for weight in model.weights if "gate" in weight.path]
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs
    before = model.predict(data[0], verbose=0)
    model.save(folder / "model.keras")
    reloaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_array_equal(reloaded.predict(data[0], verbose=0), before)
    require_slots(model.optimizer, model.trainable_variables)
    # TensorFlow walks through the optimizer's lists, as it does for export and conversion.
    tf.train.Checkpoint(model=model).save(str(folder / "checkpoint"))
    model.fit(*data, epochs=1, verbose=0)
    assert not np.array_equal(model.predict(data[0], verbose=0), before)
    for weight in model.get_weights():
        assert np.isfinite(weight).all()


def require_slots(optimizer: Any, variables: list[Any]) -> None:
    """Compare the slots with those that Keras makes for these variables."""
    fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(variables)
    assert [v.shape for v in optimizer.variables] == [v.shape for v in fresh.variables]


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.01),
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(),
    "amsgrad": lambda: optimizers.Adam(amsgrad=True),
    "adamw": lambda: optimizers.AdamW(weight_decay=0.01),
    "rmsprop": lambda: optimizers.RMSprop(),
    "rmsprop centered": lambda: optimizers.RMSprop(momentum=0.9, centered=True),
    "lion": lambda: optimizers.Lion(),
    "nadam": lambda: optimizers.Nadam(),
    "adagrad": lambda: optimizers.Adagrad(),
    "adadelta": lambda: optimizers.Adadelta(0.1),
    "adamax": lambda: optimizers.Adamax(),
    "adafactor": lambda: optimizers.Adafactor(),
    "ftrl": lambda: optimizers.Ftrl(),
    "lamb": lambda: optimizers.Lamb(),
    "muon": lambda: optimizers.Muon(),
    "weight decay": lambda: optimizers.SGD(0.01, weight_decay=0.01),
    "clipnorm": lambda: optimizers.Adam(clipnorm=1.0),
    "global clipnorm": lambda: optimizers.Adam(global_clipnorm=1.0),
    "clipvalue": lambda: optimizers.Adam(clipvalue=0.5),
    "ema": lambda: optimizers.Adam(use_ema=True, ema_momentum=0.5),
    "ema overwriting": lambda: optimizers.SGD(use_ema=True, ema_overwrite_frequency=2),
    "accumulation": lambda: optimizers.Adam(gradient_accumulation_steps=2),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.CosineDecay(1e-2, 6)),
    "loss scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam()),
}
QUICK = ("momentum", "adamw", "rmsprop", "lion", "nadam", "ema", "accumulation", "schedule")


def quick_or_slow(cases: Any, quick: tuple[str, ...]) -> Any:
    marked = [pytest.param(n, marks=() if n in quick else pytest.mark.slow) for n in cases]
    return pytest.mark.parametrize("name", marked)


@quick_or_slow(OPTIMIZERS, QUICK)
def test_optimizers(name, few, tmp_path) -> None:
    model = network()
    compile_with(model, OPTIMIZERS[name](), run_eagerly=True)
    train(model, *few)
    require_sound(model, few, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_as_graphs(name, jit, few, tmp_path) -> None:
    model = network()
    compile_with(model, OPTIMIZERS[name](), jit_compile=jit)
    train(model, *few)
    require_sound(model, few, tmp_path)


def test_a_compiled_model_is_exported_and_converted_by_tensorflow(few, tmp_path) -> None:
    model = network()
    compile_with(model, run_eagerly=True)
    train(model, *few)
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    expected = model.predict(few[0], verbose=0)
    np.testing.assert_allclose(exported.serve(few[0]).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert tf.lite.TFLiteConverter.from_keras_model(model).convert()[4:8] == b"TFL3"


def test_a_cut_between_accumulated_gradients_keeps_count(few) -> None:
    model = network()
    compile_with(model, optimizers.SGD(0.01, gradient_accumulation_steps=3), run_eagerly=True)
    train(model, *few)
    # Three epochs of two batches are two updates; the cuts came after batches 2 and 4.
    assert int(model.optimizer.iterations) == 2


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("jit", [False, True])
def test_mixed_precision(policy, jit, few, tmp_path) -> None:
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = network()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    compile_with(model, jit_compile=jit)
    train(model, *few)
    require_sound(model, few, tmp_path)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, **options: Any) -> None:
        super().__init__(**options)
        self.x, self.y = x, y

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index):
        part = slice(16 * index, 16 * index + 16)
        return self.x[part], self.y[part]


def endless(x, y):
    while True:
        for first in range(0, len(x), 16):
            yield x[first : first + 16], y[first : first + 16]


# Per name: the data that goes to fit, and its options.
FITS = {
    "arrays": lambda x, y: ((x, y), {}),
    "class weight": lambda x, y: ((x, y), {"class_weight": {i: 1 + i / 10 for i in range(10)}}),
    "sample weight": lambda x, y: ((x, y), {"sample_weight": np.linspace(0.1, 1, len(x))}),
    "validation data": lambda x, y: ((x, y), {"validation_data": (x, y)}),
    "validation split": lambda x, y: ((x, y), {"validation_split": 0.25}),
    "validation sometimes": lambda x, y: (
        (x, y),
        {"validation_data": (x, y), "validation_freq": 2},
    ),
    "last batch smaller": lambda x, y: ((x, y), {"batch_size": 24}),
    "later epochs": lambda x, y: ((x, y), {"initial_epoch": 4, "epochs": 7}),
    "tf.data": lambda x, y: ((tf.data.Dataset.from_tensor_slices((x, y)).batch(16),), {}),
    "tf.data endless": lambda x, y: (
        (tf.data.Dataset.from_tensor_slices((x, y)).batch(16).repeat(),),
        {"steps_per_epoch": 4},
    ),
    "tf.data of unknown length": lambda x, y: (
        (tf.data.Dataset.from_tensor_slices((x, y)).batch(16).filter(lambda *_: True),),
        {},
    ),
    "generator": lambda x, y: ((endless(x, y),), {"steps_per_epoch": 4}),
    "PyDataset": lambda x, y: ((Batches(x, y),), {}),
    "PyDataset in threads": lambda x, y: ((Batches(x, y, workers=2),), {}),
    "fewer steps than data": lambda x, y: ((x, y), {"batch_size": 8, "steps_per_epoch": 3}),
}


@quick_or_slow(FITS, ("sample weight", "validation data", "later epochs", "PyDataset", "generator"))
def test_data_and_options_of_fit(name, few, tmp_path) -> None:
    data, options = FITS[name](*few)
    model = network()
    compile_with(model, run_eagerly=True, metrics=["accuracy"], weighted_metrics=["accuracy"])
    train(model, *data, **options)
    require_sound(model, few, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_data_and_options_of_fit_as_graphs(name, few, tmp_path) -> None:
    data, options = FITS[name](*few)
    model = network()
    compile_with(model, metrics=["accuracy"], weighted_metrics=["accuracy"])
    train(model, *data, **options)
    require_sound(model, few, tmp_path)


@pytest.mark.parametrize("steps", [2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_steps_per_execution(steps, jit, few, tmp_path) -> None:
    model = network()
    compile_with(model, steps_per_execution=steps, jit_compile=jit)
    train(model, *few, batch_size=16)
    require_sound(model, few, tmp_path)


class Doubling(keras.Model):
    """A functional model that computes its loss in its own way."""

    def compute_loss(self, *args: Any, **options: Any) -> Any:
        return 2 * super().compute_loss(*args, **options)


def test_a_model_with_a_loss_of_its_own(few) -> None:
    plain = network()
    model = Doubling(plain.inputs, plain.outputs)
    compile_with(model, run_eagerly=True)
    train(model, *few)
    assert type(model) is Doubling
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs
    model.fit(*few, epochs=1, verbose=0)


def rate_of(epoch: int, _: float) -> float:
    return 0.01 / (epoch + 1)


CALLBACKS = {
    "LearningRateScheduler": lambda _: keras.callbacks.LearningRateScheduler(rate_of),
    "ReduceLROnPlateau": lambda _: keras.callbacks.ReduceLROnPlateau("loss"),
    "EarlyStopping": lambda _: keras.callbacks.EarlyStopping("loss", restore_best_weights=True),
    "ModelCheckpoint": lambda f: keras.callbacks.ModelCheckpoint(f / "{epoch}.keras"),
    "TensorBoard": lambda f: keras.callbacks.TensorBoard(
        f / "logs", histogram_freq=1, write_images=True, update_freq="batch"
    ),
    "CSVLogger": lambda f: keras.callbacks.CSVLogger(str(f / "log.csv")),
    "TerminateOnNaN": lambda _: keras.callbacks.TerminateOnNaN(),
    "ProgbarLogger": lambda _: keras.callbacks.ProgbarLogger(),
    "LambdaCallback": lambda _: keras.callbacks.LambdaCallback(on_train_end=lambda _: None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_alongside(name, few, tmp_path) -> None:
    model = network()
    compile_with(model)
    train(model, *few, callbacks=(CALLBACKS[name](tmp_path),), validation_data=few)
    require_sound(model, few, tmp_path)


def test_all_callbacks_at_once(few, tmp_path) -> None:
    model = network()
    compile_with(model, run_eagerly=True)
    callbacks = tuple(make(tmp_path) for make in CALLBACKS.values())
    train(model, *few, callbacks=callbacks, validation_data=few)
    require_sound(model, few, tmp_path)
    names, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert {"epoch", "loss", "val_loss"} <= set(names.split(","))
    assert len(rows) == 3


def test_averaged_weights_are_swapped_in_and_out(few, tmp_path) -> None:
    model = network()
    compile_with(model, optimizers.Adam(use_ema=True, ema_momentum=0.5), run_eagerly=True)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    train(model, *few, callbacks=(swap,), validation_data=few)
    require_sound(model, few, tmp_path)


def test_csv_logger_after_pruning_logs_resources(few, tmp_path) -> None:
    model = network()
    compile_with(model, run_eagerly=True)
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=2, cuts=2)
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    model.fit(*few, epochs=3, verbose=0, callbacks=[pruning, logger])
    names, *rows = (line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines())
    macs = [int(row[names.index("macs")]) for row in rows]
    assert macs[-1] == total_macs(graph_from_keras(model)) <= 4_000
    assert [row[names.index("macs_budget")] for row in rows] == ["4000"] * 3
