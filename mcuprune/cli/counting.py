"""Commands that count what a model costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import app
from mcuprune.cli.console import (
    import_tensorflow,
    print_all,
    print_json,
    stdout_to_stderr,
)
from mcuprune.cli.options import Json


@app.command()
def estimate(
    model: Annotated[Path, typer.Argument(help="A .tflite, .keras or .h5 file.")],
    board: Annotated[
        str | None,
        typer.Option(help="Tell whether the model fits a board.", autocompletion=completion.boards),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(help="Whose arena: tflm-reference, tflm-cmsis-nn, ...; default the board's."),
    ] = None,
    pointer_bits: Annotated[
        int | None, typer.Option(help="32 or 64; default 64 for tflm-reference, else 32.")
    ] = None,
    grid: Annotated[
        float | None, typer.Option(help="With --board: gCO2e per kWh of the grid, such as 400.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count what a model costs: arena, flash, MACs, time, operator by operator."""
    with stdout_to_stderr():
        from mcuprune.cost.front import estimate as estimate_model
        from mcuprune.ir.read import is_keras_file

        if is_keras_file(model):
            import_tensorflow()
        resources = estimate_model(model, runtime, pointer_bits, board=board)
    if as_json:
        print_json(resources.to_json())
    else:
        from mcuprune.report.listing import fitting_table
        from mcuprune.report.summary import board_lines, converted_lines, time_lines
        from mcuprune.report.table import (
            causes_table,
            operators_table,
            resources_table,
            runtime_note,
        )

        tables = (operators_table(resources), causes_table(resources), resources_table(resources))
        notes = [runtime_note(resources), *converted_lines(resources), *board_lines(resources)]
        fits = resources.boards_that_fit
        boards_of_it = [] if fits is None else [fitting_table(fits)]
        print_all(*tables, *boards_of_it, *notes, *time_lines(resources, grid))


@app.command()
def groups(
    model: Annotated[Path, typer.Argument(help="A .keras or .h5 file.")],
    as_json: Json = False,
) -> None:
    """Show which channels live or die together, what one is worth, and what cannot be pruned."""
    with stdout_to_stderr():
        import_tensorflow()
        from mcuprune.report.overview import group_overview

        overview = group_overview(model)
    if as_json:
        print_json(overview.to_json())
    else:
        from mcuprune.report.listing import groups_lines, groups_table

        print_all(groups_table(overview), *groups_lines(overview))


@app.command()
def boards(as_json: Json = False) -> None:
    """List boards with core, clock and memories."""
    from mcuprune.boards import board, board_names

    known = [board(name) for name in board_names()]
    if as_json:
        print_json([device.to_json() for device in known])
    else:
        from mcuprune.report.listing import boards_table

        print_all(boards_table(known))
