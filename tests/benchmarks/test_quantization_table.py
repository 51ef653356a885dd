from __future__ import annotations

from accuracy.tasks import TASKS
from quantization import recipe_of, rows


def record(seed, *accuracies, task="digits"):
    known = {"task": task, "budget": "1/4", "epochs": 30, "seed": seed, "float_before": 0.9}
    names = ("float", "ptq", "qat", "tfmot", "clustered")
    return known | dict(zip(names, accuracies, strict=False))


def test_rows_are_means_over_seeds_of_what_all_of_them_have():
    records = [
        record(0, 0.98, 0.97, 0.98, 0.9, 0.8),
        record(1, 0.96, 0.96, 0.97, 0.91, 0.7),
        record(0, 0.5, 0.5, 0.5, task="fashion"),
    ]
    assert list(rows(records)) == [
        "| digits | 1/4 | 30 | 2 | 97.00 | 96.50 | 97.50 | 90.50 | 75.00 |",
        "| fashion | 1/4 | 30 | 1 | 50.00 | 50.00 | 50.00 | - | - |",
    ]


def test_the_recipe_has_the_budget_and_a_tenth_of_the_epochs_with_the_numbers_of_int8():
    task = TASKS["digits"]
    recipe = recipe_of(task, task.budgets["1/8"], seed=2, epochs=30)
    assert (recipe.training.epochs, recipe.float_epochs) == (30, 27)
    assert (recipe.budget.sram, recipe.budget.flash, recipe.budget.macs) == (2788, 7508, None)
    assert recipe.training.seed == 2
