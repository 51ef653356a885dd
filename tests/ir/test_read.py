"""The joint door: it picks the right reader and explains files that none can read."""

from __future__ import annotations

import keras
import pytest

from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.ir.read import load_keras, read_graph


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)], name="tiny")


def kinds(graph):
    return [operator.kind for operator in graph.operators]


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_keras_files_and_models_give_the_same_graph(model, tmp_path, ending):
    path = tmp_path / f"tiny{ending}"
    model.save(path)
    assert kinds(read_graph(path)) == kinds(read_graph(str(path))) == kinds(read_graph(model))
    assert kinds(read_graph(model)) == ["FULLY_CONNECTED"]


def test_other_files_are_read_as_tflite(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"this is no model")
    with pytest.raises(InputError, match=r"model\.tflite"):
        read_graph(path)


def test_missing_keras_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.keras does not exist: check the path"):
        load_keras(tmp_path / "absent.keras")


def test_file_with_another_ending(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"TFL3")
    with pytest.raises(InputError, match=r"model\.tflite is no Keras model"):
        load_keras(path)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_broken_keras_file(tmp_path, ending):
    path = tmp_path / f"broken{ending}"
    path.write_bytes(b"PK not really")
    with pytest.raises(InputError, match=r"broken.* cannot be read .*save the model again"):
        load_keras(path)


def test_things_that_are_no_model():
    with pytest.raises(UnsupportedModelError, match=r"expected a keras\.Model"):
        read_graph(42)
