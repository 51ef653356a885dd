"""Callbacks beside MCUPruning judge the final network only, wherever they stand in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from mcuprune import Budget, MCUPruning
from mcuprune.cost.macs import total_macs
from mcuprune.errors import InputError, TrainingDivergedError
from mcuprune.ir.from_keras import graph_from_keras

Arrays = tuple[np.ndarray, np.ndarray]
BUDGET = Budget(macs=2_500)  # of 8,208: 36 * 9 * 8 + 9 * 72 * 8 + 80 and a little


class Scripted(keras.callbacks.Callback):
    """Writes given values of a metric into the logs, before the callbacks that follow see them."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["loss"] = self.values[epoch]


@pytest.fixture
def model() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, run_eagerly=True)  # spares a trace per cut
    return model


@pytest.fixture
def few(digits: Arrays) -> Arrays:
    return digits[0][:64], digits[1][:64]


@pytest.fixture
def fit(model: Any, few: Arrays) -> Callable[..., Any]:
    """Train with a script of losses, a pruning between the epochs 0 and 2, and other callbacks."""

    def run(*others: Any, losses: tuple[float, ...], pruning_first: bool = True, **options: Any):
        pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=2, cuts=2)
        callbacks = [pruning, *others] if pruning_first else [*others, pruning]
        options = {"epochs": len(losses), "batch_size": 32, "verbose": 0, **options}
        return model.fit(*few, callbacks=[Scripted(*losses), *callbacks], **options)

    return run


both_orders = pytest.mark.parametrize("pruning_first", [True, False])


@both_orders
def test_early_stopping_waits_for_the_last_cut(fit, model, pruning_first) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
    # Unguarded it would stop in epoch 1 and bring back the uncut weights of epoch 0.
    history = fit(stopping, losses=(1.0, 9.0, 5.0, 4.0, 6.0, 3.0), pruning_first=pruning_first)
    assert len(history.epoch) == 5
    assert stopping.best_epoch == 3
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs


def test_early_stopping_restores_the_best_weights_of_the_final_network(fit, model) -> None:
    seen = []
    stopping = keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    remember = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_, **__: seen.append(model.get_weights())
    )
    fit(stopping, remember, losses=(1.0, 1.0, 3.0, 2.0, 4.0))
    for found, best in zip(model.get_weights(), seen[3], strict=True):
        np.testing.assert_array_equal(found, best)


@pytest.mark.parametrize("first", [0, 4])
def test_early_stopping_keeps_its_own_start(fit, first) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=1, start_from_epoch=first)
    history = fit(stopping, losses=(1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert stopping.start_from_epoch == first
    assert len(history.epoch) == {0: 4, 4: 6}[first]


def test_early_stopping_waits_in_a_fit_that_begins_later(fit, model) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=1)
    history = fit(stopping, losses=(0, 0, 0, 1.0, 9.0, 5.0, 6.0, 7.0), initial_epoch=3)
    assert history.epoch == [3, 4, 5, 6]
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs


def test_a_second_pruning_is_refused(fit) -> None:
    with pytest.raises(InputError, match=r"two MCUPruning.*all limits into one Budget"):
        fit(MCUPruning(Budget(flash=9_000)), losses=(1.0,) * 5)


@both_orders
def test_cuts_are_no_plateaus(fit, pruning_first) -> None:
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)
    rates = fit(
        plateau, losses=(1.0, 9.0, 5.0, 4.0, 4.5, 4.2), pruning_first=pruning_first
    ).history["learning_rate"]
    # Logged before an epoch's own reduction: the first plateau is epoch 4.
    np.testing.assert_allclose(rates, [1e-3] * 5 + [5e-4])
    assert plateau.best == 4.0


def test_a_plateau_after_the_last_cut_counts_at_once(fit) -> None:
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2)
    rates = fit(plateau, losses=(1.0, 2.0, 3.0, 3.0, 3.0, 3.0)).history["learning_rate"]
    np.testing.assert_allclose(rates, [1e-3] * 5 + [5e-4])


@both_orders
@pytest.mark.parametrize("weights_only", [False, True])
def test_best_checkpoint_is_of_the_final_network(fit, model, tmp_path, pruning_first, weights_only):
    path = tmp_path / ("best.weights.h5" if weights_only else "best.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, save_weights_only=weights_only
    )
    fit(checkpoint, losses=(0.1, 9.0, 5.0, 4.0, 6.0), pruning_first=pruning_first)
    assert checkpoint.best == 4.0
    if weights_only:
        model.load_weights(path)
    else:
        assert total_macs(graph_from_keras(keras.models.load_model(path))) <= BUDGET.macs


def test_best_checkpoint_exists_when_the_last_epoch_ends_pruning(fit, tmp_path) -> None:
    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True)
    fit(checkpoint, losses=(0.1, 9.0))
    assert checkpoint.best == 9.0
    assert total_macs(graph_from_keras(keras.models.load_model(path))) <= BUDGET.macs


def test_best_checkpoint_exists_when_training_stops_before_the_last_cut(fit, model, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, *_: Any) -> None:
            self.model.stop_training = True

    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True)
    fit(checkpoint, Stop(), losses=(0.1, 9.0))
    assert total_macs(graph_from_keras(keras.models.load_model(path))) <= BUDGET.macs
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs


def test_best_checkpoint_every_few_batches(fit, tmp_path) -> None:
    path = tmp_path / "best.keras"
    # Keras itself cannot compare bests before the end of the first epoch, of 2 batches here.
    checkpoint = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True, save_freq=2)
    fit(checkpoint, losses=(0.1, 9.0, 5.0))
    assert total_macs(graph_from_keras(keras.models.load_model(path))) <= BUDGET.macs


@pytest.mark.parametrize(("threshold", "saved"), [(4.5, True), (0.5, False)])
def test_checkpoints_keep_their_threshold(fit, tmp_path, threshold, saved) -> None:
    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, initial_value_threshold=threshold
    )
    fit(checkpoint, losses=(0.1, 9.0, 5.0, 4.0))
    assert path.exists() is saved


def test_a_checkpoint_of_an_earlier_training_forgets_its_best(fit, model, tmp_path, few):
    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True)
    model.fit(*few, epochs=1, verbose=0, callbacks=[Scripted(0.1), checkpoint])
    assert checkpoint.best == 0.1
    fit(checkpoint, losses=(0.1, 9.0, 5.0))
    assert total_macs(graph_from_keras(keras.models.load_model(path))) <= BUDGET.macs


def test_checkpoints_of_every_epoch_can_be_loaded(fit, tmp_path, few) -> None:
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(checkpoint, losses=(1.0, 1.0, 1.0))
    for epoch in (1, 2, 3):
        loaded = keras.models.load_model(tmp_path / f"{epoch}.keras")
        assert np.isfinite(loaded.predict(few[0][:8], verbose=0)).all()


def test_a_model_within_its_budget_is_watched_from_the_start(model, few) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=1)
    pruning = MCUPruning(Budget(macs=1_000_000), start_epoch=0, end_epoch=2)
    callbacks = [Scripted(1.0, 2.0, 3.0, 4.0), pruning, stopping]
    history = model.fit(*few, epochs=4, verbose=0, callbacks=callbacks)
    assert len(history.epoch) == 2


def test_backups_are_refused(fit, model, tmp_path) -> None:
    backups = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(InputError, match="BackupAndRestore cannot resume pruning"):
        fit(backups, losses=(1.0, 1.0, 1.0))
    assert not [weight.path for weight in model.weights if "gate" in weight.path]


def test_backups_of_a_model_within_its_budget(model, few, tmp_path) -> None:
    backups = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    pruning = MCUPruning(Budget(macs=1_000_000), start_epoch=0, end_epoch=1)
    model.fit(*few, epochs=1, verbose=0, callbacks=[pruning, backups])
    assert total_macs(graph_from_keras(model)) == 36 * 9 * 8 + 4 * 72 * 8 + 80


def test_settings_come_back_after_a_training_broken_off(model, few) -> None:
    def break_off(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    stopping = keras.callbacks.EarlyStopping("loss", start_from_epoch=1)
    checkpoint = keras.callbacks.ModelCheckpoint("never.keras", "loss", save_best_only=True)
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=3)
    stop = keras.callbacks.LambdaCallback(on_epoch_end=break_off)
    callbacks = [stopping, checkpoint, pruning, stop]
    with pytest.raises(KeyboardInterrupt):
        model.fit(*few, epochs=3, verbose=0, callbacks=callbacks)
    pruning.release()
    assert stopping.start_from_epoch == 1
    assert checkpoint.save_freq == "epoch"


def test_settings_come_back_after_a_diverged_training(fit) -> None:
    stopping = keras.callbacks.EarlyStopping("loss")
    with pytest.raises(TrainingDivergedError):
        fit(stopping, losses=(float("nan"), 1.0, 1.0))
    assert stopping.start_from_epoch == 0


def test_a_callback_that_calls_by_hand_is_told_what_it_takes(model) -> None:
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=2)
    pruning.set_model(model)
    pruning.set_params({"epochs": 3, "steps": 4})
    with pytest.warns(UserWarning, match=r"start_from_epoch=end_epoch"):
        pruning.on_train_begin()
    pruning.release()


def test_a_list_of_callbacks_made_by_the_user(model, few) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", patience=1)
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=2, cuts=2)
    callbacks = keras.callbacks.CallbackList(
        [Scripted(1.0, 9.0, 5.0, 4.0), [stopping, pruning]],
        add_history=True,
        model=model,
        epochs=4,
        steps=2,
    )
    model.fit(*few, epochs=4, verbose=0, callbacks=callbacks)
    assert model.history.epoch == [0, 1, 2, 3]
    assert total_macs(graph_from_keras(model)) <= BUDGET.macs
