"""Checks what a user hands to pruning, before anything is changed."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any, overload

from mcuprune.errors import InputError


def whole_number(name: str, value: Any, at_least: int) -> int:
    """Return ``value`` as an int.

    Raises:
        InputError: It is no whole number, or less than ``at_least``.

    >>> whole_number("cuts", 3, at_least=1)
    3
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputError(f"{name} is {value!r}: give a whole number of at least {at_least}")
    if value < at_least:
        raise InputError(f"{name} is {value}: it must be at least {at_least}")
    return int(value)


@overload
def window(unit: str, start: Any, end: int) -> tuple[int, int]: ...


@overload
def window(unit: str, start: Any, end: int | None) -> tuple[int, int | None]: ...


def window(unit: str, start: Any, end: Any) -> tuple[int, int | None]:
    """Return where pruning starts and ends, an open end as None.

    Args:
        unit: ``"step"`` or ``"epoch"``, for the message.
        start: First step or epoch of pruning, from 0.
        end: The one after its last.

    Raises:
        InputError: No whole numbers, or the end does not lie after the start.
    """
    first = whole_number(f"start_{unit}", start, at_least=0)
    if end is None:
        return first, None
    last = whole_number(f"end_{unit}", end, at_least=1)
    if last <= first:
        raise InputError(
            f"start_{unit} {first} and end_{unit} {last}: pruning needs "
            f"0 <= start_{unit} < end_{unit}"
        )
    return first, last


def layer_selectors(exclude: str | type | Iterable[str | type]) -> tuple[str, ...]:
    """Return what chooses layers as texts, classes by name; a single one stands for itself.

    Raises:
        InputError: Something else than texts and classes.

    >>> layer_selectors("conv*"), layer_selectors(["stem", "conv*"])
    (('conv*',), ('stem', 'conv*'))
    """
    if isinstance(exclude, str | type):
        return (_selector("exclude", exclude),)
    if not isinstance(exclude, Iterable) or isinstance(exclude, Mapping):
        raise _no_selector("exclude", exclude)
    return tuple(_selector("exclude", item) for item in exclude)


def channel_numbers(name: str, value: int | Mapping[str | type, int]) -> int | dict[str, int]:
    """Return a number of channels for all groups, or one per name, pattern or class.

    Args:
        name: The argument, for the message.
        value: What the user gave.

    Raises:
        InputError: A number is not whole or below 1, or a key chooses no layers.

    >>> channel_numbers("max_channels", {"conv*": 32})
    {'conv*': 32}
    """
    if not isinstance(value, Mapping):
        return whole_number(name, value, at_least=1)
    return {
        _selector(name, key): whole_number(f"{name}[{_shown(key)}]", number, at_least=1)
        for key, number in value.items()
    }


def _selector(argument: str, item: Any) -> str:
    if isinstance(item, type):
        return item.__name__
    if not isinstance(item, str):
        raise _no_selector(argument, item)
    return item


def _no_selector(argument: str, found: Any) -> InputError:
    what = "layer name, pattern or class"
    if argument == "exclude":
        return InputError(
            f"exclude is {found!r}: give a {what}, or a list of them, such as ['stem*', 'Dense']"
        )
    return InputError(
        f"{argument} has the key {found!r}: give a {what}, such as 'conv*' or 'Dense'"
    )


def _shown(key: Any) -> str:
    return key.__name__ if isinstance(key, type) else repr(key)
