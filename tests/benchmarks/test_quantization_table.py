from __future__ import annotations

from accuracy.tasks import TASKS
from quantization import recipe_of, rows


def record(seed, *accuracies, task="digits"):
    known = {"task": task, "budget": "1/4", "epochs": 30, "seed": seed, "float_before": 0.9}
    return known | dict(zip(("float", "ptq", "qat"), accuracies, strict=True))


def test_both_ends_are_held_against_the_network_of_all_epochs_in_float():
    records = [
        record(0, 0.98, 0.97, 0.98),
        record(1, 0.96, 0.96, 0.97),
        record(0, 0.5, 0.5, 0.5, task="fashion"),
    ]
    # Float 97.0; int8 96.5 and 97.5: half a point lost, and half a point won.
    assert [str(row) for row in rows(records)] == [
        "| digits | 1/4 | 30 | 2 | 97.00 | 96.50 | 97.50 | +0.50 | -0.50 |",
        "| fashion | 1/4 | 30 | 1 | 50.00 | 50.00 | 50.00 | +0.00 | +0.00 |",
    ]


def test_the_recipe_has_the_budget_and_a_tenth_of_the_epochs_with_the_numbers_of_int8():
    task = TASKS["digits"]
    recipe = recipe_of(task, task.budgets["1/8"], seed=2, epochs=30)
    assert (recipe.training.epochs, recipe.float_epochs) == (30, 27)
    assert (recipe.budget.sram, recipe.budget.flash, recipe.budget.macs) == (2788, 7508, None)
    assert recipe.training.seed == 2
