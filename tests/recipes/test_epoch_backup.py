"""A training without pruning that dies goes on to the same weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.pruning.backup import FILE
from mcuprune.recipes.batches import ShuffledBatches
from mcuprune.recipes.epoch_backup import EpochBackup
from mcuprune.recipes.history import HistoryTable

EPOCHS = 5


class Killed(Exception):
    """Stands for the end of the process."""


def network():
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    rate = keras.optimizers.schedules.CosineDecay(0.05, EPOCHS * 8)
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def trained(folder, dies_after=None):
    """Train; return the model, or None if it died."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(60, 4)).astype("float32")
    batches = ShuffledBatches(inputs, inputs.sum(axis=1, keepdims=True), 8, seed=1)
    model = network()

    def end(epoch, _):
        if epoch == dies_after:
            raise Killed

    callbacks = [
        batches.callback(),
        EpochBackup(folder / "backup"),
        HistoryTable(folder / "history.csv"),
        keras.callbacks.LambdaCallback(on_epoch_end=end),
    ]
    model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=callbacks)
    return model


@pytest.mark.parametrize("epoch", [0, 3, EPOCHS - 1])
def test_it_goes_on_to_the_same_weights(epoch, tmp_path, capsys):
    expected = trained(tmp_path / "undisturbed")
    with pytest.raises(Killed):
        trained(tmp_path, dies_after=epoch)
    assert (tmp_path / "backup" / FILE).is_file()
    model = trained(tmp_path)
    said = capsys.readouterr().out
    wanted = "was at its end" if epoch == EPOCHS - 1 else f"resumes at epoch {epoch + 2} of 5"
    assert wanted in said
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not (tmp_path / "backup" / FILE).exists()


def test_the_history_has_every_epoch_once(tmp_path):
    with pytest.raises(Killed):
        trained(tmp_path, dies_after=2)
    early = (tmp_path / "history.csv").read_text().splitlines()
    trained(tmp_path)
    header, *lines = (tmp_path / "history.csv").read_text().splitlines()
    assert header == "epoch,loss,seconds"
    assert lines[:3] == early[1:]
    assert [line.split(",")[0] for line in lines] == ["0", "1", "2", "3", "4"]


def test_a_training_from_its_beginning_forgets_an_earlier_history(tmp_path):
    trained(tmp_path)
    trained(tmp_path)
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + EPOCHS


def test_a_later_fit_of_the_same_model_begins_at_its_own_first_epoch(tmp_path):
    with pytest.raises(Killed):
        trained(tmp_path, dies_after=3)
    model = trained(tmp_path)
    history = model.fit(np.zeros((8, 4)), np.zeros((8, 1)), epochs=2, verbose=0)
    assert history.epoch == [0, 1]
