"""Commands for the models that travel with the package."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mcuprune.cli import completion
from mcuprune.cli.app import EXIT_EXCEEDED, app
from mcuprune.cli.console import print_all, print_json, stdout_to_stderr
from mcuprune.cli.options import Json

zoo = typer.Typer(
    help="Small pruned int8 models, ready to deploy.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(zoo, name="zoo")

Model = Annotated[str, typer.Argument(help="Its name.", autocompletion=completion.zoo)]


@zoo.command("list")
def list_(as_json: Json = False) -> None:
    """List the models with accuracy, arena, flash and MACs."""
    from mcuprune.zoo.collection import zoo_card, zoo_names

    cards = [zoo_card(name) for name in zoo_names()]
    if as_json:
        print_json([card.model_dump(mode="json") for card in cards])
    else:
        from mcuprune.zoo.listing import zoo_table

        print_all(zoo_table(cards))


@zoo.command()
def get(
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    as_json: Json = False,
) -> None:
    """Copy a model and its card into a folder."""
    from mcuprune.zoo.collection import copy_model, zoo_card

    path, card = copy_model(model, out), zoo_card(model)
    if as_json:
        print_json({"model": str(path), **card.model_dump(mode="json")})
    else:
        print_all(
            f"Written: {path}, {path.with_suffix('.yaml')}",
            f"Data: {card.data.title}, {card.data.licence}",
            f"Made by: {card.recipe.command}",
        )


@zoo.command()
def verify(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Their names; all by default.", autocompletion=completion.zoo),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The model's data, to measure its accuracy too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure models again and hold them against their cards; exit code 1 where one differs."""
    from mcuprune.zoo.collection import zoo_names

    with stdout_to_stderr():
        from mcuprune.zoo.measure import verify as verify_model

        found = {name: verify_model(name, data) for name in models or zoo_names()}
    if as_json:
        print_json(
            {name: [dataclasses.asdict(each) for each in rows] for name, rows in found.items()}
        )
    else:
        from mcuprune.zoo.listing import findings_table

        print_all(*(findings_table(name, rows) for name, rows in found.items()))
    agree = all(each.agrees for rows in found.values() for each in rows)
    raise typer.Exit(0 if agree else EXIT_EXCEEDED)
