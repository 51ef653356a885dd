from __future__ import annotations

import pytest
from accuracy.tasks import TASKS
from quantization import recipe_of, rows


def record(method, seed, in_float, int8, task="digits"):
    return {
        **{"task": task, "budget": "1/4", "epochs": 30, "seed": seed, "method": method},
        **{"float": in_float, "int8": int8},
    }


def test_both_methods_are_held_against_the_network_of_all_epochs_in_float():
    records = [
        record("ptq", 0, 0.98, 0.97),
        record("ptq", 1, 0.96, 0.96),
        # What the network reaches before the last epochs does not count.
        record("qat", 0, 0.90, 0.98),
        record("qat", 1, 0.90, 0.97),
        record("ptq", 0, 0.5, 0.5, task="fashion"),
    ]
    # Float 97.0; int8 96.5 and 97.5: half a point lost, and half a point won.
    assert [str(row) for row in rows(records)] == [
        "| digits | 1/4 | 30 | 2 | 97.00 | 96.50 | 97.50 | +0.50 | -0.50 |"
    ]


@pytest.mark.parametrize(("method", "float_epochs"), [("ptq", 30), ("qat", 27)])
def test_both_methods_train_equally_long(method, float_epochs):
    task = TASKS["digits"]
    recipe = recipe_of(task, task.budgets["1/8"], method, seed=2, epochs=30)
    assert (recipe.training.epochs, recipe.float_epochs) == (30, float_epochs)
    assert (recipe.budget.sram, recipe.budget.flash, recipe.budget.macs) == (2788, 7508, None)
    assert recipe.training.seed == 2
