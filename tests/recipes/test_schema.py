"""What a recipe may say, and how the window scales with the epochs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mcuprune.budget import Budget
from mcuprune.errors import InputError
from mcuprune.recipes.load import load_recipe


def test_budget_accepts_units():
    recipe = load_recipe("digits", ["budget.sram=4KiB", "budget.macs=1.5M", "budget.flash=null"])
    assert recipe.budget.budget() == Budget(sram=4096, macs=1_500_000)


def test_fewer_epochs_scale_the_pruning_window():
    # 60 epochs, window 4 to 30: a tenth of each, rounded.
    window = ["training.epochs=60", "pruning.start_epoch=4", "pruning.end_epoch=30"]
    short = load_recipe("digits", window, epochs=6)
    assert short.training.epochs == 6
    assert (short.pruning.start_epoch, short.pruning.end_epoch) == (0, 3)


def test_one_epoch_is_enough():
    short = load_recipe("digits", epochs=1)
    assert (short.pruning.start_epoch, short.pruning.end_epoch) == (0, 1)


def test_no_epochs_are_refused():
    with pytest.raises(InputError, match=r"training\.epochs: .*greater than 0 \(found 0\)"):
        load_recipe("digits", epochs=0)


def test_recipes_cannot_be_changed():
    with pytest.raises(ValidationError):
        load_recipe("digits").training.epochs = 3
