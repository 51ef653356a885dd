"""Quantities as users write them: bytes, counts and times."""

from __future__ import annotations

import numbers
import re

from mcuprune.errors import InputError
from mcuprune.suggest import nearest

# IEC 80000-13 binary prefixes and SI decimal ones; "64K" alone is ambiguous and refused.
BYTE_UNITS = {
    "B": 1,
    "KB": 1_000,
    "MB": 1_000_000,
    "KiB": 1_024,
    "MiB": 1_048_576,
}
TIME_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000}
COUNT_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}

_QUANTITY = re.compile(r"\s*(?P<number>[0-9][0-9_,]*(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-z]*)\s*")


def parse_bytes(text: str | int) -> int:
    """Parse a number of bytes.

    Args:
        text: An int (bytes) or text such as ``"64KiB"``, ``"3,032 B"``, ``"1.5MB"``.

    Returns:
        The number of bytes, at least 1.

    Raises:
        InputError: The text is no quantity, the unit is unknown, or the value is not positive.

    >>> parse_bytes("64KiB"), parse_bytes("3,032 B"), parse_bytes(512)
    (65536, 3032, 512)
    """
    return _parse(text, {**BYTE_UNITS, "": 1}, "bytes")


def parse_count(text: str | int) -> int:
    """Parse a count such as a number of MACs.

    Args:
        text: An int or text such as ``"40_000"``, ``"2M"``, ``"1.5G"``.

    Returns:
        The count, at least 1.

    Raises:
        InputError: The text is no quantity, the unit is unknown, or the value is not positive.

    >>> parse_count("2M"), parse_count("40_000")
    (2000000, 40000)
    """
    return _parse(text, COUNT_UNITS, "count")


def parse_microseconds(text: str | int) -> int:
    """Parse a time.

    Args:
        text: An int (microseconds) or text with a unit: ``"50ms"``, ``"800us"``, ``"1.5s"``.

    Returns:
        Microseconds, at least 1.

    Raises:
        InputError: The text is no time, the unit is unknown, or the value is not positive.

    >>> parse_microseconds("50ms"), parse_microseconds("800us"), parse_microseconds("1.5 s")
    (50000, 800, 1500000)
    """
    return _parse(text, TIME_UNITS, "time")


def format_milliseconds(value: float) -> str:
    """Write a time with three digits, no decimals from 100 ms on.

    >>> format_milliseconds(3.8512), format_milliseconds(1463.2)
    ('3.85 ms', '1,463 ms')
    """
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _parse(text: str | int, units: dict[str, int], what: str) -> int:
    like = "50ms" if units is TIME_UNITS else "64KiB"
    if isinstance(text, numbers.Integral) and not isinstance(text, bool):
        return _positive(int(text), text)
    if not isinstance(text, str):
        raise InputError(f"{text!r} is no {what}: give a whole number or text such as {like!r}")
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise InputError(f"{text!r} is no {what}: give a number with a unit, such as {like!r}")
    factor = _unit(match["unit"], units, text)
    number = float(match["number"].replace("_", "").replace(",", ""))
    return _positive(int(number * factor), text)


def _unit(unit: str, units: dict[str, int], text: str) -> int:
    for known, factor in units.items():
        if unit == known or (len(known) > 1 and unit.lower() == known.lower()):
            return factor
    named = [known for known in units if known]
    by_case = {known.lower(): known for known in named}
    close = nearest(unit, by_case)
    guess = f" Did you mean {by_case[close]!r}?" if close else ""
    raise InputError(f"{text!r} has the unknown unit {unit!r}.{guess} Known: {', '.join(named)}.")


def _positive(value: int, text: str | int) -> int:
    if value < 1:
        raise InputError(f"{text!r} is not positive: give at least 1")
    return value


def format_bytes(value: int) -> str:
    """Write a number of bytes with digit groups.

    >>> format_bytes(10864)
    '10,864 B'
    """
    return f"{value:,} B"
