"""The trials of a grid, and the recipe that each of them runs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from mcuprune.boards import board as find_board
from mcuprune.errors import InputError
from mcuprune.recipes.load import apply_override, validate
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.sweep_section import SweepSection
from mcuprune.sweep.row import Row, written_settings


def sweep_of(recipe: Recipe) -> SweepSection:
    """Return what a recipe says about its sweep.

    Raises:
        InputError: Nothing, neither in the recipe nor on the command line.
    """
    if recipe.sweep is None:
        raise InputError(
            "nothing says what to sweep: give --sram 16KiB,32KiB, --board or --seeds, or a section "
            "sweep in the recipe"
        )
    return recipe.sweep


def axis(values: Sequence[Any], fallback: Any) -> list[Any]:
    """Return the values of an axis, each once; the recipe's own where it has none."""
    return list(dict.fromkeys(values)) if values else [fallback]


def grid(recipe: Recipe) -> list[Row]:
    """Return the trials of a grid: all of the first seed, then those of the next.

    So the whole front is there, if roughly, before any seed is repeated.

    Args:
        recipe: The recipe, with its section ``sweep``.

    Raises:
        InputError: It has none, or a trial's values are not allowed.
    """
    sweep, budget = sweep_of(recipe), recipe.budget
    combinations = itertools.product(
        sweep.seed_list(recipe.training.seed),
        axis(sweep.boards, recipe.deploy.board),
        axis(sweep.sram, budget.sram),
        axis(sweep.flash, budget.flash),
        axis(sweep.macs, budget.macs),
        axis(sweep.latency, budget.latency),
        _settings(sweep),
    )
    rows = [
        new_row(number, *combination)
        for number, combination in enumerate(dict.fromkeys(combinations))
    ]
    for row in rows:
        trial_recipe(recipe, row)
    return rows


def new_row(
    number: int,
    seed: int,
    board: str | None,
    sram: int | None,
    flash: int | None,
    macs: int | None,
    latency: int | None,
    settings: str,
) -> Row:
    """Return a trial that waits; limits in bytes, MACs and microseconds, settings as JSON."""
    return Row(
        number, board, seed, sram, flash, macs, latency, settings, folder=f"trials/{number:04d}"
    )


def trial_recipe(recipe: Recipe, row: Row) -> Recipe:
    """Return the recipe that a trial runs.

    The reference keeps the seed of the sweep's recipe, so that the trials share it. Where the
    recipe ends on a simulated board, a trial for a board ends on that one, if there is a simulator.

    Raises:
        InputError: The values are not allowed together; names the trial.
    """
    _require_board(row)
    values = recipe.model_dump()
    values["sweep"] = None
    values["reference"]["seed"] = recipe.reference_training.seed
    values["training"]["seed"] = row.seed
    values["deploy"]["board"] = row.board
    values["budget"] = row.limits
    if row.board != recipe.deploy.board and values["validate"]["board"] is not None:
        values["validate"]["board"] = _simulated(row.board)
    for path, value in row.varied.items():
        values = apply_override(values, f"{path}={json.dumps(value)}")
    return validate(values, f"trial {row.trial} ({row.label})")


def _settings(sweep: SweepSection) -> list[str]:
    return [written_settings(settings) for settings in combinations_of(sweep.vary)]


def combinations_of(vary: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values that vary.

    >>> list(combinations_of({"training.epochs": [10, 20]}))
    [{'training.epochs': 10}, {'training.epochs': 20}]
    """
    for values in itertools.product(*vary.values()):
        yield dict(zip(vary, values, strict=True))


def _require_board(row: Row) -> None:
    if row.budget_latency_us is not None and row.board is None:
        raise InputError("a limit on the latency needs a board to count it on: add --board NAME")


def _simulated(board: str | None) -> str | None:
    is_there = board is not None and find_board(board).simulator is not None
    return board if is_there else None
