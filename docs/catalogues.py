"""A hook of mkdocs: puts the catalogues, as their data files are today, into the pages.

A page asks for one with a comment: ``<!-- catalogue: boards -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mcuprune import catalogue
from mcuprune.boards import Board, board, board_names
from mcuprune.recipes.load import RECIPES_FOLDER, load_recipe
from mcuprune.recipes.schema import Recipe
from mcuprune.zoo.card import Card
from mcuprune.zoo.collection import zoo_card, zoo_names

MARK = re.compile(r"<!-- catalogue: (\w+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of a page by tables."""
    return MARK.sub(lambda mark: CATALOGUES[mark[1]](), markdown)


def boards() -> str:
    """Return the boards with their memories and the documents they were read from."""
    heads = (
        "board",
        "",
        "core",
        "MHz",
        "SRAM KiB",
        "arena KiB",
        "flash KiB",
        "simulators",
        "source",
    )
    return _table(heads, (_board_row(board(name)) for name in board_names()))


def recipes() -> str:
    """Return the recipes with the budgets that they meet."""
    names = catalogue.names(RECIPES_FOLDER)
    rows = (_recipe_row(name, load_recipe(name)) for name in names)
    return _table(("recipe", "what it trains", "network", "epochs", "budget"), rows)


def zoo() -> str:
    """Return the models of the zoo with what they reach and take."""
    heads = ("model", "what it does", "int8 %", "arena B", "flash B", "MACs", "data")
    return _table(heads, (_zoo_row(zoo_card(name)) for name in zoo_names()))


def _zoo_row(card: Card) -> tuple[str, ...]:
    return (
        f"`{card.name}`",
        card.title,
        f"{100 * card.accuracy.int8:.2f}",
        f"{card.resources.arena_bytes:,}",
        f"{card.resources.flash_bytes:,}",
        f"{card.resources.macs:,}",
        f"{card.data.title} ({card.data.licence})",
    )


def _board_row(device: Board) -> tuple[str, ...]:
    simulators = (device.simulator, *device.emulators)
    return (
        f"`{device.name}`",
        device.title,
        device.core,
        str(device.clock_mhz),
        _kib(device.sram_bytes),
        _kib(device.arena_bytes),
        _kib(device.flash_bytes),
        ", ".join(name for name in simulators if name),
        f"[{device.source.read}]({device.source.url})",
    )


def _recipe_row(name: str, recipe: Recipe) -> tuple[str, ...]:
    limits = [
        f"{limit:,} {'MACs' if resource == 'macs' else 'B ' + resource}"
        for resource, limit in recipe.budget.budget(recipe.deploy.board).limits()
    ]
    return (
        f"`{name}`",
        recipe.title,
        f"`{recipe.model.name}`",
        str(recipe.training.epochs),
        ", ".join(limits),
    )


def _kib(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f}"


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = (" | ".join(row) for row in (heads, ("---",) * len(heads), *rows))
    return "\n".join(f"| {line} |" for line in lines)


CATALOGUES: dict[str, Callable[[], str]] = {
    "boards": boards,
    "recipes": recipes,
    "zoo": zoo,
}
