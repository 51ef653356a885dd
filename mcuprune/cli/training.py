"""Commands that train, and what they can be told."""

from __future__ import annotations

import json
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
from mcuprune.cli.options import (
    Json,
)


@app.command()
def run(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name of a recipe, or path of a .yaml file.", autocompletion=completion.recipes
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    data: Annotated[Path | None, typer.Option(help="File or folder that holds the data.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key.path=value; can be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides training.seed.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Scales all training to this.")] = None,
    allow_code: Annotated[
        bool,
        typer.Option(
            "--allow-code", help="Run Python files of the recipe from outside the working folder."
        ),
    ] = False,
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


def overrides_of(given: list[str], data: Path | None, seed: int | None) -> list[str]:
    """Return the overrides of a recipe that options make."""
    overrides = list(given)
    if data is not None:
        overrides.append(f"data.path={json.dumps(str(data))}")
    if seed is not None:
        overrides.append(f"training.seed={seed}")
    return overrides
