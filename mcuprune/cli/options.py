"""Options that several commands share, and the budget that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcuprune.errors import InputError

if TYPE_CHECKING:
    from mcuprune.budget import Budget

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
Sram = Annotated[str | None, typer.Option(help="Limit on the arena, such as 64KiB.")]
Flash = Annotated[str | None, typer.Option(help="Limit on the .tflite file, such as 128KiB.")]
Macs = Annotated[str | None, typer.Option(help="Limit on multiply-accumulates, such as 2M.")]
Latency = Annotated[
    str | None, typer.Option(help="With --board: limit on the predicted time, such as 50ms.")
]
BoardName = Annotated[str | None, typer.Option("--board", help="Take the limits of a board.")]
ReserveSram = Annotated[str | None, typer.Option(help="With --board: SRAM for your firmware.")]
ReserveFlash = Annotated[str | None, typer.Option(help="With --board: flash for your firmware.")]


def budget_from(
    sram: str | None,
    flash: str | None,
    macs: str | None,
    latency: str | None,
    board: str | None,
    reserve_sram: str | None,
    reserve_flash: str | None,
) -> Budget | None:
    """Return the budget that options make, None where they limit nothing.

    Raises:
        UnknownNameError: No such board; names the nearest.
        InputError: An option needs a board, or is no quantity.
    """
    from mcuprune.budget import Budget

    if board is None and (reserve_sram or reserve_flash or latency):
        raise InputError("--latency, --reserve-sram and --reserve-flash need --board: name one")
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
