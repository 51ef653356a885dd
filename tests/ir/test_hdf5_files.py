"""Damaged weights are refused, also where they crash the library that reads them."""

import random

import pytest

from mcuprune.errors import InputError
from mcuprune.ir.hdf5_files import require_readable
from mcuprune.ir.read import load_keras


@pytest.fixture(scope="module", params=[".keras", ".h5"])
def model(request, tmp_path_factory):
    import keras

    path = tmp_path_factory.mktemp("model") / f"model{request.param}"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)]).save(path)
    return path


def test_sound_files_are_read(model):
    require_readable(model)
    assert load_keras(model).count_params() == 2 * 3 + 3 + 3 * 1 + 1


def test_a_file_cut_short_is_refused(model, tmp_path):
    path = tmp_path / model.name
    path.write_bytes(model.read_bytes()[:-700])
    with pytest.raises(InputError, match=r"cannot be read .*cut short or damaged"):
        load_keras(path)


def test_a_crash_of_the_library_is_an_error(model, monkeypatch, tmp_path):
    (tmp_path / "crashes.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("mcuprune.ir.hdf5_files.MODULE", "crashes")
    with pytest.raises(InputError, match="the HDF5 library crashes: SIGABRT"):
        require_readable(model)


def test_damaged_files_are_taken_or_refused(model, tmp_path):
    """Some of these crash HDF5 2.0; a file that is taken has weights that can be read."""
    chance, data, path = random.Random(0), model.read_bytes(), tmp_path / model.name
    refused = 0
    for _ in range(6):
        damaged = bytearray(data)
        for _ in range(8):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            load_keras(path)
        except InputError as error:
            refused += path.name in str(error)
    assert refused > 0
