"""What the user allows: bytes of SRAM and flash, MACs. Never ratios."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mcuprune.errors import InputError
from mcuprune.units import parse_bytes, parse_count

RESOURCE_UNITS = {"sram": "B", "flash": "B", "macs": "MACs"}


@dataclasses.dataclass(frozen=True, init=False)
class Budget:
    """Upper limits on a model's resources; None leaves one free.

    Attributes:
        sram: Limit on TFLM's arena (head and tail) in bytes.
        flash: Limit on the ``.tflite`` file in bytes.
        macs: Limit on multiply-accumulates per inference.

    >>> Budget(sram="64KiB", flash="128KiB", macs="2M")
    Budget(sram=65536, flash=131072, macs=2000000)
    """

    sram: int | None = None
    flash: int | None = None
    macs: int | None = None

    def __init__(
        self,
        sram: str | int | None = None,
        flash: str | int | None = None,
        macs: str | int | None = None,
    ) -> None:
        """Parse the limits.

        Args:
            sram: Bytes, as an int or text with a unit (``"64KiB"``).
            flash: Bytes, likewise.
            macs: A count, as an int or text (``"2M"``).

        Raises:
            InputError: A value is not positive, has an unknown unit, or none is given.
        """
        if sram is None and flash is None and macs is None:
            raise InputError("the budget is empty: give at least one of sram, flash, macs")
        object.__setattr__(self, "sram", None if sram is None else parse_bytes(sram))
        object.__setattr__(self, "flash", None if flash is None else parse_bytes(flash))
        object.__setattr__(self, "macs", None if macs is None else parse_count(macs))

    def limits(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the limit of each resource that is limited."""
        for name in RESOURCE_UNITS:
            limit = getattr(self, name)
            if limit is not None:
                yield name, limit
