"""Scalars and histograms as TensorBoard reads them back."""

from __future__ import annotations

import importlib.util

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from mcuprune.budget import Budget
from mcuprune.errors import MissingToolError
from mcuprune.pruning.callback import MCUPruning

EPOCHS = 4


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A callback after a training with its last cut after epoch 2, and what was logged."""
    folder = tmp_path_factory.mktemp("logs")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    x = keras.layers.Dense(16, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="classes")(x))
    model.compile("sgd", "mse")
    data = np.random.default_rng(0).random((64, 8), np.float32)
    pruning = MCUPruning(Budget(macs=80), start_epoch=0, end_epoch=2, cuts=1, log_dir=folder)
    history = model.fit(data, data[:, :2], epochs=EPOCHS, verbose=0, callbacks=[pruning])
    events = EventAccumulator(str(folder)).Reload()
    return pruning, history.history, events


def values(events, tag):
    """Return a scalar's values over the epochs."""
    found = events.Tensors(f"pruning/{tag}")
    assert [event.step for event in found] == list(range(EPOCHS))
    return [float(make_ndarray(event.tensor_proto)) for event in found]


def test_scalars_are_those_of_the_training(trained):
    pruning, history, events = trained
    assert values(events, "resources/macs") == history["macs"]
    assert values(events, "budget/macs") == [80.0] * EPOCHS
    widths = values(events, "widths/hidden")
    # 8 weights into a channel and 2 out of it: 10 MACs each.
    assert [10 * width for width in widths] == history["macs"]
    assert widths[-1] == pruning.model.get_layer("hidden").units
    assert len(values(events, "penalty")) == EPOCHS
    assert all(value >= 0 for value in values(events, "multipliers/macs"))


def test_gates_are_histograms_until_the_last_cut(trained):
    _, _, events = trained
    assert [event.step for event in events.Tensors("pruning/gates/hidden")] == [0]


def test_the_folder_is_told_and_taken_over(tmp_path):
    pruning = MCUPruning(Budget(macs=80), log_dir=tmp_path / "logs")
    config = pruning.get_config()
    assert config["log_dir"] == str(tmp_path / "logs")
    assert MCUPruning.from_config(config).log_dir == tmp_path / "logs"
    assert "log_dir" not in MCUPruning(Budget(macs=80)).get_config()
    assert not (tmp_path / "logs").exists()


def test_without_tensorboard_the_argument_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match="pip install 'mcuprune"):
        MCUPruning(Budget(macs=80), log_dir=tmp_path)
