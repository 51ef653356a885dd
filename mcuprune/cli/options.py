"""Options that several commands share, and the budget that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcuprune.cli import completion

if TYPE_CHECKING:
    from mcuprune.budget import Budget

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
Sram = Annotated[str | None, typer.Option(help="Limit on the arena, such as 64KiB.")]
Flash = Annotated[str | None, typer.Option(help="Limit on the .tflite file, such as 128KiB.")]
Macs = Annotated[str | None, typer.Option(help="Limit on multiply-accumulates, such as 2M.")]
Latency = Annotated[
    str | None, typer.Option(help="With --board: limit on the predicted time, such as 50ms.")
]
BoardName = Annotated[
    str | None,
    typer.Option("--board", help="Take the limits of a board.", autocompletion=completion.boards),
]
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
    """Return what :func:`mcuprune.budget.budget_of` makes of the options."""
    from mcuprune.budget import budget_of

    return budget_of(sram, flash, macs, latency, board, reserve_sram, reserve_flash)
