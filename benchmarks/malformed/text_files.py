"""Readers of YAML and TOML files of unknown origin, each given a file's bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from mcuprune.boards import board
from mcuprune.deployment.budget_file import check_budgets
from mcuprune.recipes.load import load_recipe

# Budget files name models beside them.
MODEL = Path(__file__).parents[2] / "zoo" / "digits-small" / "model.tflite"


def recipe(data: bytes, folder: Path) -> object:
    """Load a recipe; nothing of it is run."""
    return load_recipe(str(_written(data, folder / "recipe.yaml")))


def board_file(data: bytes, folder: Path) -> object:
    """Read a board of a user's own."""
    board.cache_clear()
    return board(str(_written(data, folder / "board.yaml")))


def budgets_yaml(data: bytes, folder: Path) -> object:
    """Hold the models of a budget file against their budgets."""
    return _budgets(data, folder / "budgets.yaml")


def budgets_toml(data: bytes, folder: Path) -> object:
    """Do the same with a file in TOML."""
    return _budgets(data, folder / "budgets.toml")


def _budgets(data: bytes, path: Path) -> object:
    model = path.with_name("model.tflite")
    if not model.exists():
        model.write_bytes(MODEL.read_bytes())
    return check_budgets(_written(data, path))


def _written(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path


READERS: Mapping[str, Callable[[bytes, Path], object]] = {
    "recipe": recipe,
    "board": board_file,
    "budgets-yaml": budgets_yaml,
    "budgets-toml": budgets_toml,
}


def fresh_folder() -> Path:
    """Return a folder for the files that are given to a reader."""
    return Path(tempfile.mkdtemp(prefix="mcuprune-malformed-"))
