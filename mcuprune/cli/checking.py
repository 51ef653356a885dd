"""The command that holds models against budgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import print_all, print_json
from mcuprune.cli.options import (
    BoardName,
    Flash,
    Json,
    Latency,
    Macs,
    ReserveFlash,
    ReserveSram,
    Sram,
    budget_from,
)
from mcuprune.errors import InputError, McupruneError
from mcuprune.suggest import unknown_name

if TYPE_CHECKING:
    from mcuprune.budget import Budget
    from mcuprune.deployment.budget_file import Checked

BUDGET_FILES = ("mcuprune-budgets.yaml", "mcuprune-budgets.yml", "mcuprune-budgets.toml")
_FORMATS = ("text", "json", "github")


@app.command()
def check(
    model: Annotated[
        Path | None, typer.Argument(help="A .tflite file; none for those of a budget file.")
    ] = None,
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    latency: Latency = None,
    board: BoardName = None,
    reserve_sram: ReserveSram = None,
    reserve_flash: ReserveFlash = None,
    budgets: Annotated[
        Path | None,
        typer.Option(
            help=f"A file of models with their budgets; default {BUDGET_FILES[0]} where no model "
            "is named."
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="text, json, or github: annotations of GitHub Actions."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell whether models meet their budgets: exit code 0 if they do, 1 if not."""
    form = format_ or ("json" if as_json else _FORMATS[0])
    if form not in _FORMATS:
        raise unknown_name("format", form, _FORMATS)
    try:
        budget = budget_from(sram, flash, macs, latency, board, reserve_sram, reserve_flash)
        if model is not None and budgets is None:
            fits = _check_one(model, budget, form)
        elif model is None and budget is None:
            fits = _check_all(budgets or _usual_budgets(), form)
        else:
            raise InputError(
                "models and limits are named by the budget file: leave out all but --budgets, or "
                "name one model and its limits"
            )
    except McupruneError as error:
        if form == "github":
            from mcuprune.report.annotations import failure

            typer.echo(failure(str(error)))
        raise
    raise typer.Exit(0 if fits else EXIT_EXCEEDED)


def _check_one(model: Path, budget: Budget | None, form: str) -> bool:
    from mcuprune.deployment.check import check as check_file

    if budget is None:
        raise InputError(
            "nothing to check against: give --sram, --flash, --macs or --board, or a file with "
            "--budgets"
        )
    verdict = check_file(model, budget)
    if form == "json":
        print_json(verdict.to_json())
    elif form == "github":
        from mcuprune.report.annotations import annotation

        typer.echo(annotation(verdict, str(model), str(model)))
    else:
        from mcuprune.report.table import verdict_table

        print_all(verdict_table(verdict))
    return verdict.fits


def _check_all(budgets: Path, form: str) -> bool:
    from mcuprune.deployment.budget_file import check_budgets

    found = check_budgets(budgets)
    fits = all(checked.verdict.fits for checked in found)
    if form == "json":
        print_json({"fits": fits, "models": [checked.to_json() for checked in found]})
    elif form == "github":
        from mcuprune.report.annotations import annotation

        for checked in found:
            typer.echo(annotation(checked.verdict, checked.name, str(budgets), checked.line))
    else:
        _print_tables(found)
    return fits


def _print_tables(found: Sequence[Checked]) -> None:
    from mcuprune.report.table import verdict_table

    for checked in found:
        table = verdict_table(checked.verdict)
        table.title = f"{checked.name} {table.title}"
        print_all(table)


def _usual_budgets() -> Path:
    for name in BUDGET_FILES:
        if Path(name).is_file():
            return Path(name)
    raise InputError(
        f"nothing to check: name a model and its limits, or write a {BUDGET_FILES[0]} (see the "
        "page on use in CI)"
    )
