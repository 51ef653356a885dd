"""Commands that train, and what they can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import (
    import_tensorflow,
    print_all,
    print_json,
    stdout_to_stderr,
)
from mcuprune.cli.options import AllowCode, DataPath, Epochs, Json, Overrides, overrides_of


@app.command()
def run(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name of a recipe, or path of a .yaml file.", autocompletion=completion.recipes
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    data: DataPath = None,
    set_: Overrides = None,
    seed: Annotated[int | None, typer.Option(help="Overrides training.seed.")] = None,
    epochs: Epochs = None,
    allow_code: AllowCode = False,
    as_json: Json = False,
) -> None:
    """Train, prune, convert, verify and package a recipe's model."""
    from mcuprune.recipes.load import load_recipe

    chosen = load_recipe(recipe, overrides_of(set_ or [], data, seed), epochs)
    folder = out or Path("runs") / Path(recipe).stem
    with stdout_to_stderr():
        import_tensorflow()
        from mcuprune.recipes.run import run_recipe

        outcome = run_recipe(chosen, folder, allow_code=allow_code)
    if as_json:
        print_json(outcome.report)
    else:
        from mcuprune.report.summary import print_summary

        print_summary(outcome.report)
    raise typer.Exit(0 if outcome.fits else EXIT_EXCEEDED)


@app.command()
def recipes(as_json: Json = False) -> None:
    """List the recipes that run by name."""
    from mcuprune.recipes.load import recipe_titles

    titles = recipe_titles()
    if as_json:
        print_json([{"name": name, "title": title} for name, title in titles.items()])
    else:
        from mcuprune.report.listing import recipes_table

        print_all(recipes_table(titles))
