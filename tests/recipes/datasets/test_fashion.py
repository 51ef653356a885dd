"""Fashion-MNIST from an archive, and the ways it can be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.fashion import load_fashion


def save(path, **changes):
    generator = np.random.default_rng(0)
    arrays = {
        "x_train": generator.integers(0, 256, (30, 28, 28)).astype(np.uint8),
        "y_train": (np.arange(30) % 10).astype(np.uint8),
        "x_test": np.full((10, 28, 28), 255, np.uint8),
        "y_test": np.arange(10).astype(np.uint8),
    }
    arrays.update(changes)
    np.savez(path, **arrays)
    return path


def test_first_images_train_and_the_next_validate(tmp_path):
    clothes = load_fashion(save(tmp_path / "f.npz"), train_images=20, validation_images=7)
    assert clothes.x_train.shape == (20, 28, 28, 1)
    assert clothes.y_val.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert clothes.x_test.min() == clothes.x_test.max() == 1.0
    assert (clothes.class_names[0], clothes.class_names[9]) == ("T-shirt/top", "Ankle boot")


def test_all_but_the_validation_images_train_by_default(tmp_path):
    assert len(load_fashion(save(tmp_path / "f.npz"), validation_images=4).y_train) == 26


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npz does not exist\. Pass --data"):
        load_fashion(tmp_path / "absent.npz")


def test_folder_that_holds_the_file(tmp_path):
    with pytest.raises(InputError, match=r"fashion_mnist\.npz does not exist\. .*the folder"):
        load_fashion(tmp_path)
    save(tmp_path / "fashion_mnist.npz")
    assert len(load_fashion(tmp_path, validation_images=4).y_train) == 26


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": np.zeros(29, np.uint8)}, "30 train inputs but labels of shape"),
        ({"y_test": np.full(10, 10, np.uint8)}, "test labels run from 10 to 10"),
        ({"x_train": np.zeros((30, 32, 32), np.uint8)}, r"expected \(n, 28, 28\)"),
        ({"x_test": np.zeros((10, 28, 28))}, "test images are float64, expected uint8 from 0"),
    ],
)
def test_arrays_that_do_not_match(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        load_fashion(save(tmp_path / "f.npz", **changes), validation_images=4)


@pytest.mark.parametrize(("train", "validation"), [(28, 7), (0, 7), (5, 0)])
def test_impossible_split(tmp_path, train, validation):
    with pytest.raises(InputError, match=r"cannot split 30 training images.*train_images"):
        load_fashion(save(tmp_path / "f.npz"), train_images=train, validation_images=validation)


def test_failed_download_says_what_to_do(monkeypatch):
    import keras

    def offline():
        raise Exception("URL fetch failure")  # what keras.utils.get_file raises

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", offline)
    with pytest.raises(InputError, match=r"could not download.*URL fetch failure.*--data"):
        load_fashion(None)
