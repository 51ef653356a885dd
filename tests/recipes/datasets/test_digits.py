"""The digits split is the one the peers were measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.digits import load_digits


def test_sizes_and_range():
    digits = load_digits()
    assert digits.x_train.shape == (1197, 8, 8, 1)
    assert digits.x_val.shape == digits.x_test.shape == (300, 8, 8, 1)
    assert digits.x_train.min() == 0.0
    assert digits.x_train.max() == 1.0


def test_the_parts_are_the_whole_data_set_in_the_stated_order():
    digits = load_digits()
    bundled = datasets.load_digits()
    order = np.random.RandomState(0).permutation(1797)
    together = np.concatenate([digits.x_train, digits.x_val, digits.x_test])[..., 0]
    labels = np.concatenate([digits.y_train, digits.y_val, digits.y_test])
    np.testing.assert_array_equal(together * 16, bundled.images[order])
    np.testing.assert_array_equal(labels, bundled.target[order])


def test_a_path_is_refused():
    with pytest.raises(InputError, match="leave out --data"):
        load_digits(Path("digits.npz"))
