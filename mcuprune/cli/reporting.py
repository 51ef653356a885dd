"""The command that shows what a run or a deployment has come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli.app import app
from mcuprune.cli.console import import_tensorflow, print_json, stdout_to_stderr
from mcuprune.cli.options import (
    Flash,
    Json,
    Latency,
    Macs,
    ReserveFlash,
    ReserveSram,
    Sram,
)


@app.command()
def report(
    path: Annotated[
        Path, typer.Argument(help="Folder of a run or a deployment, or a .tflite or .keras file.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file; default in the folder.")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Predict time for this board; of a file, take its limits.")
    ] = None,
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    latency: Latency = None,
    reserve_sram: ReserveSram = None,
    reserve_flash: ReserveFlash = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown alone on stdout.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write one HTML page, and Markdown beside it: verdict, memory, operators, training."""
    with stdout_to_stderr():
        from mcuprune.budget import budget_of
        from mcuprune.ir.read import is_keras_file
        from mcuprune.report.write import write_report

        of_file = None if path.is_dir() else board
        budget = budget_of(sram, flash, macs, latency, of_file, reserve_sram, reserve_flash)
        if is_keras_file(path):
            import_tensorflow()
        written = write_report(path, out, budget=budget, board=board)
    if as_json:
        files = {"page": str(written.page), "markdown": str(written.markdown)}
        print_json({**written.report.to_json(), "files_written": files})
    elif markdown:
        typer.echo(written.markdown.read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(
            f"{written.report.headline}.\nWritten: {written.page} and {written.markdown.name}"
        )
