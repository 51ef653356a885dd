"""What is taken from the folder of a training, and what is not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.fingerprints import pruned_fingerprint, quantized_fingerprint
from mcuprune.recipes.kept import StageFolder
from mcuprune.recipes.load import load_recipe


def network(value):
    layer = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(value))
    return keras.Sequential([keras.Input((2,)), layer])


def test_a_finished_training_is_taken(tmp_path):
    StageFolder(tmp_path, "one").keep(network(2.0), 1.5)
    model, fit_seconds = StageFolder(tmp_path, "one").kept()
    assert fit_seconds == 1.5
    np.testing.assert_array_equal(model.get_weights()[0], [[2.0], [2.0]])
    assert {path.name for path in tmp_path.iterdir()} == {"model.keras", "stage.json"}


def test_that_of_another_training_is_not(tmp_path):
    StageFolder(tmp_path, "one").keep(network(2.0), 1.5)
    assert StageFolder(tmp_path, "other").kept() is None


def test_a_new_model_is_never_taken_for_that_of_an_earlier_training(tmp_path, monkeypatch):
    StageFolder(tmp_path, "one").keep(network(2.0), 1.5)

    def dies(*_):
        raise SystemExit

    # Dies when the new model lies there and nothing yet tells what it is.
    monkeypatch.setattr("mcuprune.recipes.kept.write_whole", dies)
    with pytest.raises(SystemExit):
        StageFolder(tmp_path, "other").keep(network(3.0), 1.5)
    assert (tmp_path / "model.keras").is_file()
    assert StageFolder(tmp_path, "one").kept() is None
    assert StageFolder(tmp_path, "other").kept() is None


def test_a_description_that_is_cut_short(tmp_path):
    StageFolder(tmp_path, "one").keep(network(2.0), 1.5)
    (tmp_path / "stage.json").write_text('{"fingerprint": "one"')
    assert StageFolder(tmp_path, "one").kept() is None


def test_the_backup_of_another_training_is_deleted(tmp_path):
    other = StageFolder(tmp_path, "f" * 64).backup_folder()
    other.mkdir(parents=True)
    own = StageFolder(tmp_path, "0" * 64).backup_folder()
    assert own != other
    assert not other.exists()


@pytest.mark.parametrize(
    ("override", "changes_pruned", "changes_quantized"),
    [
        ("training.epochs=50", True, True),
        ("budget.sram=4KiB", True, True),
        ("pruning.options.cuts=2", True, True),
        ("deploy.board=nucleo-l4r5zi", True, True),
        ("quantization.epochs=7", True, True),
        ("quantization.learning_rate=1e-5", False, True),
        ("deploy.calibration_samples=50", False, True),
        ("reference.epochs=7", False, False),
        ("distillation.share=0.5", True, True),
        ("distillation.temperature=2", False, False),
        ("validate.inputs=3", False, False),
    ],
)
def test_what_makes_a_training_another_one(override, changes_pruned, changes_quantized):
    data, aware = load("digits", None, {}), "quantization.method=qat"
    plain, changed = load_recipe("digits", [aware]), load_recipe("digits", [aware, override])
    of_pruned = pruned_fingerprint(plain, data) != pruned_fingerprint(changed, data)
    of_quantized = quantized_fingerprint(plain, data) != quantized_fingerprint(changed, data)
    assert (of_pruned, of_quantized) == (changes_pruned, changes_quantized)


@pytest.mark.parametrize("start", ["pruning.start_from=reference", "distillation.share=0.5"])
def test_the_reference_matters_where_pruning_takes_from_it(start):
    data = load("digits", None, {})
    plain = load_recipe("digits", [start])
    changed = load_recipe("digits", [start, "reference.epochs=7"])
    assert pruned_fingerprint(plain, data) != pruned_fingerprint(changed, data)
