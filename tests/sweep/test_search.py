from __future__ import annotations

import dataclasses

import pytest
from trial_rows import finished

from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.grid import grid
from mcuprune.sweep.row import FINISHED, INFEASIBLE
from mcuprune.sweep.search import GridSearch, OptunaSearch

pytest.importorskip("optuna", reason="comes with the extra sweep")


def test_a_grid_gives_what_is_not_done():
    rows = grid(load_recipe("digits", ["sweep.seeds=4"]))
    rows[1] = dataclasses.replace(rows[1], status=FINISHED)
    rows[2] = dataclasses.replace(rows[2], status=INFEASIBLE)
    search = GridSearch(rows)
    assert search.trials == 4
    assert [row.trial for row in iter(search.next, None)] == [0, 3]


def searched(*overrides):
    return load_recipe(
        "digits", ["sweep.search=optuna", "sweep.trials=12", "sweep.sram=[3000, 6000]", *overrides]
    )


def ended(row):
    """Pretend: more SRAM, more accuracy."""
    sram = row.budget_sram_bytes
    return dataclasses.replace(
        finished(row.trial, sram / 10_000, sram, board=row.board, seed=row.seed),
        settings=row.settings,
    )


def test_a_search_stays_within_its_axes_and_takes_boards_and_seeds_in_turn():
    boards = "sweep.boards=[nucleo-l4r5zi, nucleo-f446re]"
    search = OptunaSearch(searched(boards, "sweep.seeds=2"), [])
    rows = []
    while (row := search.next()) is not None:
        rows.append(row)
        search.tell(ended(row))
    assert [row.trial for row in rows] == list(range(12))
    assert all(3000 <= row.budget_sram_bytes <= 6000 for row in rows)
    assert [row.board for row in rows[:2]] == ["nucleo-l4r5zi", "nucleo-f446re"]
    assert [row.seed for row in rows[:5]] == [0, 0, 1, 1, 0]
    assert len({row.identity for row in rows}) == 12


def test_a_search_goes_on_from_the_table_of_trials():
    recipe = searched("sweep.vary={pruning.options.cuts: [1, 2]}")
    first = OptunaSearch(recipe, [])
    rows = [first.next() for _ in range(4)]
    known = [ended(rows[0]), dataclasses.replace(rows[1], status=INFEASIBLE), *rows[2:]]
    again = OptunaSearch(recipe, known)
    given = list(iter(again.next, None))
    # Those that were running come first, with the same values, then new ones.
    assert given[:2] == rows[2:]
    assert [row.trial for row in given] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    again.tell(ended(given[0]))


def test_a_search_ends_when_there_is_nothing_left_to_try():
    recipe = load_recipe(
        "digits",
        ["sweep.search=optuna", "sweep.trials=9", "sweep.vary={pruning.options.cuts: [1, 2]}"],
    )
    search = OptunaSearch(recipe, [])
    assert len(list(iter(search.next, None))) == 2
    assert search.trials == 2
