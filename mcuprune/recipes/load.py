"""Reads recipes by name or path, with overrides; every error names the key path."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mcuprune import catalogue
from mcuprune.errors import InputError
from mcuprune.mapping_file import build, read_mapping, yaml_value
from mcuprune.recipes.schema import Recipe
from mcuprune.suggest import near_file

RECIPES_FOLDER = "recipes"
_ENDINGS = (".yaml", ".yml")


def recipe_titles() -> dict[str, str]:
    """Return name and title of each recipe that travels with the package."""
    return {
        name: str(_recipe_values(catalogue.find(RECIPES_FOLDER, name, "recipe")).get("title", ""))
        for name in catalogue.names(RECIPES_FOLDER)
    }


def load_recipe(name: str, overrides: Iterable[str] = (), epochs: int | None = None) -> Recipe:
    """Load a recipe.

    Args:
        name: Name in the catalogue, or path of a YAML file (ending in ``.yaml`` or ``.yml``).
        overrides: Texts ``key.path=value``; values are read as YAML.
        epochs: Scales all training, and the pruning window, to this many epochs.

    Raises:
        UnknownNameError: No such recipe; names the nearest.
        InputError: The file is missing or no YAML mapping, a key is unknown (names the nearest),
            or a value is not allowed.

    >>> load_recipe("digits", ["training.epochs=80"]).training.epochs
    80
    """
    path = recipe_path(name)
    values = _recipe_values(path)
    for override in overrides:
        values = apply_override(values, override)
    recipe = validate(values, f"recipe {name!r}")
    return recipe if epochs is None else validate(recipe.scaled_to(epochs), f"recipe {name!r}")


def recipe_path(name: str) -> Path:
    """Return the file of a recipe given by name or path.

    Raises:
        UnknownNameError: No recipe of that name.
        InputError: No file at that path.
    """
    path = Path(name)
    if not name.endswith(_ENDINGS):
        if path.exists() and name not in catalogue.names(RECIPES_FOLDER):
            raise InputError(_no_recipe(path))
        return catalogue.find(RECIPES_FOLDER, name, "recipe")
    if not path.is_file():
        known = ", ".join(catalogue.names(RECIPES_FOLDER))
        found = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(
            f"recipe file {name} {found}: check the path{near_file(path)}, or name one of {known}"
        )
    return path


def _no_recipe(path: Path) -> str:
    if not path.is_dir():
        return f"{path} is no recipe: name a file that ends in {' or '.join(_ENDINGS)}"
    inside = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
    hint = f"name the recipe in it, {inside[0]}" if inside else "name a recipe file"
    return f"{path} is a folder: {hint}"


def apply_override(values: Mapping[str, Any], override: str) -> dict[str, Any]:
    """Return values with one of them replaced.

    Args:
        values: A recipe's nested mapping; it is not changed.
        override: ``key.path=value``, the value as YAML.

    Raises:
        InputError: The text has no ``=``, the value is no YAML, or the path runs through a value.

    >>> apply_override({"training": {"epochs": 60}}, "training.epochs=5")
    {'training': {'epochs': 5}}
    """
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"--set {override!r} is no key.path=value: write --set training.epochs=5")
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    section = changed
    for depth, key in enumerate(keys[:-1], start=1):
        found = section.setdefault(key, {})
        if not isinstance(found, dict):
            raise InputError(
                f"--set {override!r}: {'.'.join(keys[:depth])} is the value {found!r}, "
                "it has no keys below it"
            )
        section = found
    section[keys[-1]] = yaml_value(text, f"--set {override!r}")
    return changed


def validate(values: Mapping[str, Any], what: str) -> Recipe:
    """Build a recipe from nested mappings.

    Args:
        values: The recipe's contents.
        what: What the error calls the recipe.

    Raises:
        InputError: A key is unknown or missing, or a value is not allowed; the message has one
            line per finding, each with its key path.
    """
    return build(Recipe, values, what)


def _recipe_values(path: Path) -> dict[str, Any]:
    values = read_mapping(
        path, "recipe file", "title, data, model: compare it with a recipe of the package"
    )
    return {key: _with_code_beside(value, path.parent) for key, value in values.items()}


def _with_code_beside(section: Any, folder: Path) -> Any:
    """Return a section whose Python file, if it names one, is looked for beside the recipe."""
    if not isinstance(section, dict) or not isinstance(section.get("code"), str):
        return section
    # Absolute, since a run keeps its recipe in another folder.
    return {**section, "code": str((folder / section["code"]).absolute())}
