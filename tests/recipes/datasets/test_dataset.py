"""Labels and shapes that do not match are refused."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import Dataset


def dataset(**changes):
    parts = {
        "x_train": np.zeros((6, 4, 4, 1), np.float32),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_val": np.zeros((3, 4, 4, 1), np.float32),
        "y_val": np.array([0, 1, 2]),
        "x_test": np.zeros((3, 4, 4, 1), np.float32),
        "y_test": np.array([2, 1, 0]),
    }
    return Dataset(**{**parts, **changes}, classes=3, input_shape=(4, 4, 1))


def test_matching_parts_are_accepted():
    assert dataset().classes == 3
    assert dataset(class_names=("a", "b", "c")).class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": np.array([0, 1])}, r"6 train inputs but labels of shape \(2,\)"),
        ({"y_val": np.array([0, 1, 3])}, "val labels run from 0 to 3, expected 0 to 2"),
        ({"y_test": np.array([-1, 1, 0])}, "test labels run from -1 to 1"),
        ({"y_test": np.array([0.5, 1.0, 0.0])}, "test labels are float64"),
        ({"y_val": np.eye(3, dtype=int)}, r"3 val inputs but labels of shape \(3, 3\)"),
        ({"x_val": np.zeros((3, 5, 4, 1), np.float32)}, r"expected \(n, 4, 4, 1\)"),
        (
            {"x_val": np.zeros((0, 4, 4, 1), np.float32), "y_val": np.zeros(0, int)},
            "the val part is empty",
        ),
        ({"class_names": ("a", "b")}, "class_names has 2 names for 3 classes"),
    ],
)
def test_parts_that_do_not_match_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        dataset(**changes)
