"""The section ``quantization`` of a recipe, and a run that trains with the numbers of int8."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import quantized_inputs
from mcuprune.errors import InputError
from mcuprune.ir.fake_quantization import FakeQuantizedConv2D
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.run import run_recipe

AWARE = "quantization.method=qat"


def test_after_training_is_the_default():
    recipe = load_recipe("digits")
    assert recipe.quantization.method == "ptq"
    assert recipe.float_epochs == recipe.training.epochs


def test_aware_epochs_are_the_last_of_all_and_scale_with_them():
    long = load_recipe("digits", [AWARE, "training.epochs=60", "quantization.epochs=6"])
    assert long.float_epochs == 54
    short = load_recipe("digits", [AWARE, "training.epochs=60", "quantization.epochs=6"], epochs=20)
    assert (short.float_epochs, short.quantization.epochs) == (18, 2)


def test_pruning_ends_before_them():
    window = ["training.epochs=10", "pruning.end_epoch=9", "quantization.epochs=2"]
    assert load_recipe("digits", window).float_epochs == 10
    with pytest.raises(InputError, match=r"of 8: .*training\.epochs less the 2 of quantization"):
        load_recipe("digits", [*window, AWARE])


def test_the_learning_rate_goes_on_from_where_the_schedule_stands():
    options = [AWARE, "training.epochs=12", "training.learning_rate=0.004", "pruning.end_epoch=5"]
    # Cosine from 0.004 to 0 over 12 epochs: halfway after 6, a quarter of it after 8.
    assert load_recipe("digits", [*options, "quantization.epochs=6"]).aware_learning_rate == (
        pytest.approx(0.002)
    )
    assert load_recipe("digits", [*options, "quantization.epochs=4"]).aware_learning_rate == (
        pytest.approx(0.001)
    )
    constant = load_recipe("digits", [*options, "training.schedule=constant"])
    assert constant.aware_learning_rate == pytest.approx(0.0004)
    given = load_recipe("digits", [*options, "quantization.learning_rate=0.01"])
    assert given.aware_learning_rate == 0.01


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match=r"quantization\.method: .*'ptq' or 'qat'"):
        load_recipe("digits", ["quantization.method=aware"])


def test_a_run_deploys_what_was_trained_with_the_numbers_of_int8(tmp_path):
    options = [AWARE, "quantization.epochs=1", "pruning.options.cuts=1"]
    outcome = run_recipe(load_recipe("digits", options, epochs=2), tmp_path)
    accuracy = outcome.report["accuracy"]
    assert outcome.fits
    # History has a line for its heading and one for each epoch.
    assert len((tmp_path / "pruned" / "history.csv").read_text().splitlines()) == 1 + 1
    assert len((tmp_path / "quantized" / "history.csv").read_text().splitlines()) == 1 + 1
    deployed = keras.models.load_model(tmp_path / "deployment" / "model.keras")
    assert any(isinstance(layer, FakeQuantizedConv2D) for layer in deployed.layers)
    data = load("digits", None, {})
    tflite = (tmp_path / "deployment" / "model.tflite").read_bytes()
    answers = LiteRT().run(tflite, quantized_inputs(tflite, [data.x_test])).outputs.argmax(axis=1)
    assert accuracy["int8"] == pytest.approx(np.mean(answers == data.y_test))
    predicted = deployed.predict(data.x_test, verbose=0).argmax(axis=1)
    assert accuracy["quantization_aware"] == pytest.approx(np.mean(predicted == data.y_test))
    # Rounding at a tie may go either way: a few of the 300 may differ.
    assert np.mean(predicted == answers) >= 0.98
