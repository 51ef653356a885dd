"""Data sets and their options by name."""

from __future__ import annotations

import pytest

from mcuprune.errors import UnknownNameError
from mcuprune.recipes.datasets.registry import load


def test_known_name():
    assert load("digits", None, {}).classes == 10


def test_unknown_name_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown data set 'fashon': did you mean 'fashion'"):
        load("fashon", None, {})


def test_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'train_images'"):
        load("fashion", None, {"train_image": 5})
