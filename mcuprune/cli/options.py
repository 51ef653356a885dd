"""Options that several commands share, and the budget that they make."""

from __future__ import annotations

import json
from pathlib import Path
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

DataPath = Annotated[
    Path | None, typer.Option("--data", help="File or folder that holds the data.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="key.path=value; can be repeated.")
]
Epochs = Annotated[int | None, typer.Option(help="Scales all training to this.")]
AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code", help="Run Python files of the recipe from outside the working folder."
    ),
]


def overrides_of(given: list[str], data: Path | None, seed: int | None) -> list[str]:
    """Return the overrides of a recipe that options make."""
    overrides = list(given)
    if data is not None:
        overrides.append(f"data.path={json.dumps(str(data))}")
    if seed is not None:
        overrides.append(f"training.seed={seed}")
    return overrides


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
