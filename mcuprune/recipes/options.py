"""Checks options from a recipe against the function that takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name


def option_names(function: Callable[..., Any], given: Iterable[str] = ()) -> list[str]:
    """Return the names of a function's arguments that a recipe may set.

    Args:
        function: A function or class.
        given: Arguments that the caller fills in itself.
    """
    taken = set(given)
    return [name for name in inspect.signature(function).parameters if name not in taken]


def check_options(
    function: Callable[..., Any],
    options: Mapping[str, Any],
    where: str,
    given: Iterable[str] = (),
) -> None:
    """Check that a function takes every option.

    Args:
        function: A function or class.
        options: Names and values from a recipe.
        where: Key path for the error (``"data.options"``).
        given: Arguments that the caller fills in itself.

    Raises:
        UnknownNameError: An option is no argument of the function; names the nearest.
        InputError: The function takes no options at all.
    """
    check_names(option_names(function, given), options, where)


def check_names(known: Sequence[str], options: Mapping[str, Any], where: str) -> None:
    """Check that every option is known.

    Args:
        known: Names that may be set.
        options: Names and values from a recipe.
        where: Key path for the error (``"data.options"``).

    Raises:
        UnknownNameError: An option is not known; names the nearest.
        InputError: None is known.
    """
    for name in options:
        if not known:
            raise InputError(f"{where} takes no keys, found {name!r}: remove it")
        if name not in known:
            raise unknown_name(f"key in {where}", name, known)
