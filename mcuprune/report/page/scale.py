"""Where the marks of an axis stand."""

from __future__ import annotations

import math

from mcuprune.units import format_bytes

MOST_TICKS = 5
_KIB = 1024


def byte_ticks(highest: float) -> list[int]:
    """Return round numbers of bytes from 0 up to a highest one: multiples of a power of two.

    >>> byte_ticks(3000), byte_ticks(70_000)
    ([0, 1024, 2048], [0, 16384, 32768, 49152, 65536])
    """
    step = 16
    while highest / step > MOST_TICKS:
        step *= 2
    return list(range(0, math.floor(highest) + 1, step))


def byte_text(value: int) -> str:
    """Write a tick: in KiB where that is whole.

    >>> byte_text(512), byte_text(2048), byte_text(0)
    ('512 B', '2 KiB', '0')
    """
    if value == 0:
        return "0"
    return format_bytes(value) if value % _KIB else f"{value // _KIB:,} KiB"


def ticks(lowest: float, highest: float) -> list[float]:
    """Return round numbers between two: multiples of 1, 2 or 5 times a power of ten.

    >>> ticks(0.0, 1.0), ticks(0.93, 1.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.94, 0.96, 0.98, 1.0])
    """
    if not highest > lowest:
        return [lowest]
    rough = (highest - lowest) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(lowest / step - 1e-9), math.floor(highest / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]
