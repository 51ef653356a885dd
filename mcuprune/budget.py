"""What the user allows: bytes of SRAM and flash, MACs, time. Never ratios."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from mcuprune.boards import board as find_board
from mcuprune.errors import InputError
from mcuprune.units import parse_bytes, parse_count, parse_microseconds

RESOURCE_UNITS = {"sram": "B", "flash": "B", "macs": "MACs", "latency": "us"}


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Budget:
    """Upper limits on a model's resources; None leaves one free.

    Attributes:
        sram: Limit on TFLM's arena (head and tail) in bytes, with the memory plan that ships in
            the file.
        flash: Limit on flash in bytes: of the ``.tflite`` file, and with a board of the runtime's
            code too, where that is known.
        macs: Limit on multiply-accumulates per inference.
        latency: Limit on the predicted time of an inference on the board, in microseconds.
        board: The board that the network is meant for, if any: memory is counted as its firmware
            uses it, pruning rounds widths to its kernels' vectors, and its speed gives the
            latency. Without one memory is counted as TFLM uses it on a 64-bit host. No limit, so
            it has no part in comparisons.

    >>> Budget(sram="64KiB", flash="128KiB", macs="2M")
    Budget(sram=65536, flash=131072, macs=2000000)
    """

    sram: int | None = None
    flash: int | None = None
    macs: int | None = None
    latency: int | None = None
    board: str | None = dataclasses.field(default=None, compare=False)

    def __init__(
        self,
        sram: str | int | None = None,
        flash: str | int | None = None,
        macs: str | int | None = None,
        latency: str | int | None = None,
        *,
        board: str | None = None,
    ) -> None:
        """Parse the limits.

        Args:
            sram: Bytes, as an int or text with a unit (``"64KiB"``).
            flash: Bytes, likewise.
            macs: A count, as an int or text (``"2M"``).
            latency: Microseconds, as an int or text with a unit (``"50ms"``); counting it needs
                ``board``.
            board: A board of the catalogue, whose firmware is counted for;
                :meth:`for_board` takes the limits from it too.

        Raises:
            UnknownNameError: No such board; names the nearest.
            InputError: A value is not positive, has an unknown unit, or none is given.
        """
        if all(limit is None for limit in (sram, flash, macs, latency)):
            raise InputError(
                f"the budget is empty: give at least one of {', '.join(RESOURCE_UNITS)}"
            )
        object.__setattr__(self, "sram", None if sram is None else parse_bytes(sram))
        object.__setattr__(self, "flash", None if flash is None else parse_bytes(flash))
        object.__setattr__(self, "macs", None if macs is None else parse_count(macs))
        object.__setattr__(
            self, "latency", None if latency is None else parse_microseconds(latency)
        )
        object.__setattr__(self, "board", None if board is None else find_board(board).name)

    @classmethod
    def for_board(
        cls,
        name: str,
        reserve_sram: str | int | None = None,
        reserve_flash: str | int | None = None,
        macs: str | int | None = None,
        latency: str | int | None = None,
    ) -> Budget:
        """Return what a board has left for the model.

        The arena is one array, so its limit is the board's largest memory without gaps.

        Args:
            name: A board of the catalogue (``mcuprune boards`` lists them).
            reserve_sram: Bytes that stack, heap and the rest of the firmware need.
            reserve_flash: Bytes that the program needs besides TFLM's code, which is counted.
            macs: Limit on multiply-accumulates, which no board implies.
            latency: Limit on the time of an inference, which no board implies either.

        Raises:
            UnknownNameError: No such board; names the nearest.
            InputError: A reserve leaves nothing, or is no quantity.

        >>> Budget.for_board("nucleo-f446re", reserve_sram="32KiB", reserve_flash="256KiB")
        Budget(sram=98304, flash=262144, macs=None, board='nucleo-f446re')
        """
        device = find_board(name)
        return cls(
            sram=_remaining(device.arena_bytes, reserve_sram, f"{name}'s SRAM"),
            flash=_remaining(device.flash_bytes, reserve_flash, f"{name}'s flash"),
            macs=macs,
            latency=latency,
            board=name,
        )

    def __repr__(self) -> str:
        latency = "" if self.latency is None else f", latency={self.latency}"
        board = "" if self.board is None else f", board={self.board!r}"
        return f"Budget(sram={self.sram}, flash={self.flash}, macs={self.macs}{latency}{board})"

    @property
    def channel_multiple(self) -> int:
        """How many channels the board's kernels take at once; 1 without a board.

        >>> Budget.for_board("nucleo-f446re").channel_multiple
        4
        """
        return 1 if self.board is None else find_board(self.board).channel_multiple

    def limits(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the limit of each resource that is limited."""
        for name in RESOURCE_UNITS:
            limit = getattr(self, name)
            if limit is not None:
                yield name, limit


def budget_of(
    sram: str | int | None = None,
    flash: str | int | None = None,
    macs: str | int | None = None,
    latency: str | int | None = None,
    board: str | None = None,
    reserve_sram: str | int | None = None,
    reserve_flash: str | int | None = None,
) -> Budget | None:
    """Return the budget that limits make, None where they limit nothing.

    Arguments are those of :class:`Budget` and :meth:`Budget.for_board`; a board's memories are the
    limits where none are given.

    Raises:
        UnknownNameError: No such board; names the nearest.
        InputError: A limit needs a board, or is no quantity.

    >>> budget_of(board="nucleo-f446re", sram="64KiB")
    Budget(sram=65536, flash=524288, macs=None, board='nucleo-f446re')
    """
    if board is None and (reserve_sram or reserve_flash or latency):
        raise InputError("latency, reserve_sram and reserve_flash need a board: name one")
    if board is None:
        return Budget(sram, flash, macs) if sram or flash or macs else None
    of_board = Budget.for_board(board, reserve_sram, reserve_flash, macs, latency)
    return Budget(
        sram or of_board.sram,
        flash or of_board.flash,
        of_board.macs,
        of_board.latency,
        board=board,
    )


def require_budget(budget: Any) -> None:
    """Refuse what is no budget.

    Raises:
        InputError: Another type than :class:`Budget`.
    """
    if not isinstance(budget, Budget):
        raise InputError(
            f"expected a Budget, found {type(budget).__name__}: write for example "
            'mcuprune.Budget(sram="64KiB")'
        )


def _remaining(available_bytes: int, reserve: str | int | None, what: str) -> int:
    reserved_bytes = 0 if reserve is None else parse_bytes(reserve)
    if reserved_bytes >= available_bytes:
        raise InputError(
            f"a reserve of {reserved_bytes:,} B leaves nothing of {what} ({available_bytes:,} B): "
            "lower the reserve or choose a larger board"
        )
    return available_bytes - reserved_bytes
