"""Axes of a sweep as the command line gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcuprune.errors import InputError
from mcuprune.mapping_file import yaml_value
from mcuprune.recipes.load import validate
from mcuprune.recipes.schema import Recipe


def listed(text: str) -> list[str]:
    """Split a list at its commas.

    Raises:
        InputError: An entry is empty, or looks like what is left of a number with digit groups.

    >>> listed("16KiB,32KiB")
    ['16KiB', '32KiB']
    """
    entries = [entry.strip() for entry in text.split(",")]
    if not all(entries):
        raise InputError(f"{text!r} has an empty entry: separate values by single commas")
    end_in_digits = {entry[-1].isdigit() for entry in entries}
    if len(end_in_digits) > 1 or any(
        entry.startswith("0") and entry != "0" for entry in entries[1:]
    ):
        raise InputError(
            f"{text!r} is a list of {len(entries)}, of which some look like groups of digits: "
            "write numbers without commas, and units with all or none"
        )
    return entries


def seeds(text: str) -> int | list[int]:
    """Read seeds: their number, or a list of them.

    Raises:
        InputError: No whole numbers.

    >>> seeds("3"), seeds("0,7")
    (3, [0, 7])
    """
    entries = listed(text)
    if not all(entry.isdecimal() for entry in entries):
        raise InputError(
            f"--seeds {text!r} are no seeds: give their number (--seeds 3) or a list (--seeds 0,7)"
        )
    numbers = [int(entry) for entry in entries]
    return numbers if len(numbers) > 1 else numbers[0]


def varied(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Read keys that vary.

    Args:
        texts: ``key.path=value,value``, the values as YAML.

    Raises:
        InputError: There is no ``=``, or the values are no YAML.

    >>> varied(["training.learning_rate=0.002,0.004"])
    {'training.learning_rate': [0.002, 0.004]}
    """
    vary = {}
    for text in texts:
        path, equals, values = text.partition("=")
        if not equals:
            raise InputError(
                f"--vary {text!r} is no key.path=value,value: write "
                "--vary training.learning_rate=0.002,0.004"
            )
        vary[path.strip()] = yaml_value(f"[{values}]", f"--vary {text!r}")
    return vary


def with_axes(recipe: Recipe, given: Mapping[str, Any]) -> Recipe:
    """Return a recipe whose section ``sweep`` has some keys replaced.

    Args:
        recipe: The recipe, with or without the section.
        given: Keys and values of the section.

    Raises:
        InputError: A value is not allowed.
    """
    if not given:
        return recipe
    values = recipe.model_dump()
    before = {} if recipe.sweep is None else recipe.sweep.model_dump()
    values["sweep"] = {**before, **given}
    return validate(values, "sweep")
