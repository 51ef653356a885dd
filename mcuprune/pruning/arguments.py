"""Checks what a user hands to pruning, before anything is changed."""

from __future__ import annotations

import fnmatch
import numbers
from collections.abc import Iterable, Sequence
from typing import Any, overload

from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.suggest import nearest


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


def layer_patterns(exclude: str | Sequence[str]) -> tuple[str, ...]:
    """Return patterns of layer names; a single text is one pattern.

    Raises:
        InputError: Something else than texts.

    >>> layer_patterns("conv*"), layer_patterns(["stem", "conv*"])
    (('conv*',), ('stem', 'conv*'))
    """
    if isinstance(exclude, str):
        return (exclude,)
    if not isinstance(exclude, Iterable) or not all(isinstance(item, str) for item in exclude):
        raise InputError(
            f"exclude is {exclude!r}: give a layer name or pattern, or a list of them, such as "
            "['stem*']"
        )
    return tuple(exclude)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a layer's name fits one of the patterns; case matters."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def require_matches(patterns: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a pattern that no layer has: a misspelt name would silently protect nothing.

    Raises:
        InputError: Names the pattern and the nearest layer.
    """
    for pattern in patterns:
        if not any(matches(name, [pattern]) for name in names):
            near = nearest(pattern.strip("*?"), names)
            hint = f" did you mean {near!r}?" if near else ""
            raise InputError(f"exclude: no layer matches {pattern!r}:{hint} Layers: {_some(names)}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more." if len(names) > 10 else f"{shown}."


def refuse_strategy(model: Any) -> None:
    """Refuse a model of ``tf.distribute``: a cut makes new variables, which no replica has.

    Raises:
        UnsupportedModelError: The model was made under a strategy, or one is in effect.
    """
    import tensorflow as tf

    found = getattr(model, "_distribute_strategy", None)
    if found is None and tf.distribute.has_strategy():
        found = tf.distribute.get_strategy()
    if found is not None:
        raise UnsupportedModelError(
            f"model {model.name!r} is trained under tf.distribute's {type(found).__name__} "
            f"(replicas: {found.num_replicas_in_sync}); pruning replaces the model's variables, "
            "which no strategy follows. Build and compile the model outside strategy.scope() and "
            "prune on one device."
        )
