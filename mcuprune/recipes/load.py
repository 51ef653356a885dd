"""Reads recipes by name or path, with overrides; every error names the key path."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mcuprune import catalogue
from mcuprune.errors import InputError
from mcuprune.recipes.schema import Recipe
from mcuprune.suggest import nearest

RECIPES_FOLDER = "recipes"


def recipe_titles() -> dict[str, str]:
    """Return name and title of each recipe that travels with the package."""
    return {
        name: str(_read_mapping(catalogue.find(RECIPES_FOLDER, name, "recipe")).get("title", ""))
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
    values = _read_mapping(path)
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
    if not name.endswith((".yaml", ".yml")):
        return catalogue.find(RECIPES_FOLDER, name, "recipe")
    path = Path(name)
    if not path.is_file():
        known = ", ".join(catalogue.names(RECIPES_FOLDER))
        found = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"recipe file {name} {found}: check the path, or name one of {known}")
    return path


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
    section[keys[-1]] = _yaml_value(text, f"--set {override!r}")
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
    truths = [
        f"{path}: expected a number or text, found {value}" for path, value in _truths(values)
    ]
    if truths:
        raise InputError(f"{what}: " + "\n".join(truths))
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        findings = [_finding(dict(found)) for found in error.errors()]
        raise InputError(f"{what}: " + "\n".join(findings)) from error


def _truths(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each true or false: no key takes one, but Python would count them as 1 and 0.

    Options are left to the functions that take them.
    """
    for key, value in values.items():
        if isinstance(value, bool):
            yield str(key), str(value).lower()
        elif isinstance(value, Mapping) and key != "options":
            yield from ((f"{key}.{path}", truth) for path, truth in _truths(value))


def _finding(found: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        return _unknown_key(found["loc"])
    if found["type"] == "missing":
        return f"the key {path} is missing: add it"
    if found["type"] == "model_type":
        value = _in_yaml(found["input"])
        return (
            f"{path}: expected a mapping with keys such as {_examples(found['loc'])}, found {value}"
        )
    message = found["msg"].removeprefix("Value error, ")
    prefix = f"{path}: " if path else ""
    value = "" if isinstance(found["input"], dict) else f" (found {found['input']!r})"
    return f"{prefix}{message[:1].lower()}{message[1:]}{value}"


def _in_yaml(value: Any) -> str:
    """Say what a value is in the words of a recipe's author."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)


def _examples(location: tuple[str | int, ...]) -> str:
    return ", ".join(list(_fields_at(location))[:3])


def _unknown_key(location: tuple[str | int, ...]) -> str:
    known = sorted(_fields_at(location[:-1]))
    path = ".".join(str(part) for part in location)
    near = nearest(str(location[-1]), known)
    section = ".".join(str(part) for part in location[:-1])
    full = f"{section}.{near}" if section else near
    hint = f" did you mean {full!r}?" if near else ""
    return f"unknown key {path!r}:{hint} Known: {', '.join(known)}."


def _fields_at(location: tuple[str | int, ...]) -> Iterable[str]:
    section: type[BaseModel] = Recipe
    for part in location:
        inner = _fields_by_key(section)[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return _fields_by_key(section)


def _fields_by_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"recipe file {path} is not readable ({error}): check it") from error
    values = _yaml_value(text, f"recipe file {path}")
    if not isinstance(values, dict):
        found = "is empty" if values is None else f"holds {_in_yaml(values)}"
        raise InputError(
            f"recipe file {path} {found}, expected a mapping with keys such as title, data, model: "
            "compare it with a recipe of the package"
        )
    return values


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (where, _) in zip(keys, node.value, strict=True):
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key {key!r} is given {keys.count(key)} times",
                    where.start_mark,
                )
        return super().construct_mapping(node, deep)


def _yaml_value(text: str, what: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        place = " ".join(str(error).split())
        raise InputError(f"{what} is no valid YAML ({place}): correct it") from error
