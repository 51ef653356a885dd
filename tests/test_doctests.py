"""Every example in the package's docstrings runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import mcuprune

MODULES = [
    found.name
    for found in pkgutil.walk_packages(mcuprune.__path__, "mcuprune.")
    if not found.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
