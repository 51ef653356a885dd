from __future__ import annotations

import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.grid import grid, trial_recipe


def swept(*overrides):
    return load_recipe("digits", overrides)


def test_all_combinations_the_first_seed_first():
    recipe = swept("sweep.sram=[3KiB, 4KiB]", "sweep.boards=[nucleo-l4r5zi]", "sweep.seeds=2")
    rows = grid(recipe)
    assert [(row.trial, row.seed, row.board, row.budget_sram_bytes) for row in rows] == [
        (0, 0, "nucleo-l4r5zi", 3072),
        (1, 0, "nucleo-l4r5zi", 4096),
        (2, 1, "nucleo-l4r5zi", 3072),
        (3, 1, "nucleo-l4r5zi", 4096),
    ]
    # What is not swept is the recipe's.
    assert {row.budget_flash_bytes for row in rows} == {10864}
    assert {row.budget_latency_us for row in rows} == {None}


def test_repeated_values_are_one():
    assert len(grid(swept("sweep.sram=[3KiB, 3072 B]", "sweep.seeds=[4, 4]"))) == 1


def test_a_trial_runs_its_own_values_and_shares_the_reference():
    recipe = swept(
        "sweep.vary={training.learning_rate: [0.001, 0.002], pruning.options.cuts: [1]}",
        "sweep.seeds=[5]",
        "training.seed=2",
        "sweep.boards=[nucleo-f446re]",
    )
    own = trial_recipe(recipe, grid(recipe)[1])
    assert (own.training.learning_rate, own.training.seed) == (0.002, 5)
    assert own.pruning.options == {"round_to": 1, "cuts": 1}
    assert own.reference_training.seed == 2
    assert (own.deploy.board, own.validation.board) == ("nucleo-f446re", "nucleo-f446re")
    assert own.sweep is None


def test_a_board_without_a_simulator_is_not_simulated():
    recipe = swept("sweep.boards=[esp32-devkitc]")
    assert trial_recipe(recipe, grid(recipe)[0]).validation.board is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "nothing says what to sweep"),
        (["sweep.latency=[5ms]"], "needs a board"),
        (["sweep.vary={training.epoch: [5]}"], "did you mean 'training.epochs'"),
        (["sweep.vary={training.epochs: [2]}"], "pruning.end_epoch"),
    ],
)
def test_mistakes_are_found_before_anything_runs(overrides, message):
    with pytest.raises(InputError, match=message):
        grid(swept(*overrides))
