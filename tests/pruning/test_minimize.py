"""The search over budgets, with trainings whose outcome is known."""

from typing import Any

import pytest

from mcuprune.budget import Budget
from mcuprune.errors import InputError, UnknownNameError
from mcuprune.pruning.minimize import minimize
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

# Multiply-accumulates of the digits CNN, whole and with one channel in every layer:
# 64 * 9 * 16 + 16 * 9 * 16 * 32 + 4 * 9 * 32 * 64 + 64 * 10, and 64 * 9 + 16 * 9 + 4 * 9 + 10.
WHOLE, NARROWEST = 157_312, 766


class Training:
    """Keeps the accuracy down to a number of MACs."""

    def __init__(self, enough: int) -> None:
        self.enough, self.budgets = enough, list[Budget]()

    def __call__(self, budget: Budget) -> tuple[Any, float]:
        self.budgets.append(budget)
        return f"network of {budget.macs}", 0.985 if budget.macs >= self.enough else 0.9


def test_it_closes_in_on_the_smallest_budget_that_keeps_the_accuracy() -> None:
    train = Training(enough=20_000)
    found = minimize(digits_cnn(), "macs", train, reference_accuracy=0.99, trials=8)
    # The square root of narrowest times whole is 10,977; the next lies between that and the whole.
    assert [budget.macs for budget in train.budgets[:2]] == [10_977, 41_555]
    assert found.budget is not None
    assert 20_000 <= found.budget.macs <= 20_000 * (WHOLE / NARROWEST) ** (1 / 2**8) * 1.01
    assert found.model == f"network of {found.budget.macs}"
    assert found.accuracy == 0.985
    assert [trial.keeps for trial in found.trials[:2]] == [False, True]
    assert len(found.trials) == 8


def test_a_drop_that_is_allowed_is_taken() -> None:
    train = Training(enough=20_000)
    found = minimize(
        digits_cnn(), "macs", train, reference_accuracy=0.99, max_accuracy_drop=0.1, trials=2
    )
    assert all(trial.keeps for trial in found.trials)
    assert found.budget == Budget(macs=train.budgets[-1].macs)
    assert train.budgets[-1].macs < 10_977


def test_no_network_is_returned_when_none_keeps_the_accuracy() -> None:
    found = minimize(digits_cnn(), "macs", Training(10**9), reference_accuracy=0.99, trials=3)
    assert (found.model, found.budget, found.accuracy) == (None, None, None)
    assert [trial.accuracy for trial in found.trials] == [0.9] * 3


def test_other_limits_and_the_board_hold_in_every_trial() -> None:
    train = Training(0)
    within = Budget(flash="128KiB", board="nucleo-l4r5zi")
    minimize(digits_cnn(), "macs", train, reference_accuracy=0.99, trials=2, within=within)
    assert [(b.flash, b.board) for b in train.budgets] == [(131_072, "nucleo-l4r5zi")] * 2


def test_every_budget_that_is_tried_can_be_met() -> None:
    def cut(budget: Budget) -> tuple[Any, float]:
        model = digits_cnn()
        pruner = Pruner(model, budget)
        pruner.finish()
        assert pruner.resources()["sram"] <= budget.sram
        return model, 0.5 + budget.sram / 10_000

    found = minimize(digits_cnn(), "sram", cut, reference_accuracy=0.83, trials=3)
    assert found.model is not None
    assert found.accuracy >= 0.82


def test_arguments_are_checked() -> None:
    train, model = Training(0), digits_cnn()
    with pytest.raises(UnknownNameError, match="did you mean 'sram'"):
        minimize(model, "ram", train, reference_accuracy=0.9)
    with pytest.raises(InputError, match="shares between 0 and 1"):
        minimize(model, "sram", train, reference_accuracy=99.0)
    with pytest.raises(InputError, match="trials is 0"):
        minimize(model, "sram", train, reference_accuracy=0.9, trials=0)
    with pytest.raises(InputError, match="names no board"):
        minimize(model, "latency", train, reference_accuracy=0.9)
    assert train.budgets == []


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("network", "a str"),
        (None, "a NoneType"),
        (("network", None), "the accuracy None"),
        (("network", 98.0), "the accuracy 98.0"),
        (("network", float("nan")), "the accuracy nan"),
    ],
)
def test_what_train_returns_is_checked(returned: Any, told: str) -> None:
    with pytest.raises(InputError, match=f"train returned {told}: let it return"):
        minimize(digits_cnn(), "macs", lambda _: returned, reference_accuracy=0.99)
