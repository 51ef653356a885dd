"""Commands for the first minutes: a recipe to begin with, and what is installed."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import print_all, print_json
from mcuprune.cli.options import Json


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to write; its name becomes the model's.")],
    board: Annotated[
        str | None,
        typer.Option(help="The board it is for.", autocompletion=completion.boards),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a commented recipe for your own model, with a Python file for model and data."""
    from mcuprune.recipes.new import write_starter

    recipe, code = write_starter(folder, board)
    if as_json:
        print_json({"recipe": str(recipe), "code": str(code)})
    else:
        # Not wrapped, so that the command can be copied.
        typer.echo(f"Written: {recipe}, {code}")
        typer.echo(f"Try it as it is:  mcuprune run {recipe}")
        typer.echo(f"Then put your model and data into {code}, and your limits into {recipe}.")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Show versions and engines found, and how to get what is missing; 1 if it is required."""
    from mcuprune.engines.installed import REQUIRED, installed_tools, package_version

    tools = installed_tools()
    system = {
        "mcuprune": package_version("mcuprune"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
    }
    if as_json:
        print_json({**system, "tools": [tool.to_json() for tool in tools]})
    else:
        from mcuprune.report.installed import missing_lines, tools_table

        first = f"mcuprune {system['mcuprune']}, Python {system['python']}, {system['platform']}"
        typer.echo(first)
        print_all(tools_table(tools))
        typer.echo("\n".join(missing_lines(tools)))
    is_broken = any(tool.is_missing and tool.need == REQUIRED for tool in tools)
    raise typer.Exit(EXIT_EXCEEDED if is_broken else 0)
