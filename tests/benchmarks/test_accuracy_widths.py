"""The accuracy benchmark's baselines take the widest networks that fit, no others."""

from __future__ import annotations

import itertools

import pytest
from accuracy.tasks import TASKS, Limits
from accuracy.widths import (
    cost_within,
    network,
    one_multiplier,
    scaled,
    two_multipliers,
    whole_widths,
)

import mcuprune


def macs_of(widths):
    first, second, third = widths
    return 9 * first + 9 * first * second + 9 * second * third


def within(limit):
    return lambda widths: (macs_of(widths) <= limit, macs_of(widths))


@pytest.mark.parametrize(
    ("numerator", "expected"),
    [(64, (16, 32, 64)), (32, (8, 16, 32)), (18, (5, 9, 18)), (1, (1, 1, 1))],
)
def test_widths_are_rounded_half_up_and_never_zero(numerator, expected):
    assert scaled((16, 32, 64), numerator, 64) == expected


def test_the_one_multiplier_is_the_widest_that_fits():
    # 9*4 + 9*4*8 + 9*8*16 = 1,476 fits; the next step has (4, 9, 17), which takes 1,737.
    assert one_multiplier((16, 32, 64), lambda w: macs_of(w) <= 1_500) == (4, 8, 16)


def test_the_whole_network_is_taken_where_it_fits():
    assert one_multiplier((16, 32, 64), lambda _: True) == (16, 32, 64)


def test_a_budget_below_the_narrowest_is_an_error():
    with pytest.raises(ValueError, match="not even the widths"):
        one_multiplier((16, 32, 64), lambda _: False)
    with pytest.raises(ValueError, match="not even"):
        two_multipliers((16, 32, 64), lambda _: (False, 0))


@pytest.mark.parametrize("limit", [100, 700, 1_500, 9_000])
def test_two_multipliers_have_the_most_macs_of_all_that_fit(limit):
    candidates = [
        (first, *scaled((32, 64), step, 64))
        for first, step in itertools.product(range(1, 17), range(1, 65))
    ]
    best = max(macs_of(w) for w in candidates if macs_of(w) <= limit)
    found = two_multipliers((16, 32, 64), within(limit))
    assert macs_of(found) == best
    assert found in candidates


def test_predicted_and_estimated_costs_decide_alike():
    task = TASKS["digits"]
    recipe, data = task.settings(epochs=None), task.data(None)
    model = network(recipe, data, (4, 9, 18))
    found = mcuprune.estimate(model)
    arena, flash = found.arena_total_bytes, found.flash_bytes
    for limits, fits in [
        (Limits("exact", flash, arena), True),
        (Limits("arena", flash, arena - 1), False),
        (Limits("flash", flash - 1, arena), False),
    ]:
        assert cost_within(recipe, data, limits)((4, 9, 18)) == (fits, found.macs)


def test_the_whole_network_is_the_builders():
    assert whole_widths(TASKS["fashion"].settings(None)) == (16, 32, 64)
    assert whole_widths(TASKS["kws-fsdd-speakers"].settings(None)) == (64,) * 5
    assert whole_widths(TASKS["fashion-full-wide"].settings(None)) == (32, 64, 128)


def test_changes_of_a_task_hold_beside_those_of_a_run():
    recipe = TASKS["fashion-full-wide"].settings(30, ("training.seed=3",))
    assert recipe.data.options["train_images"] is None
    assert (recipe.training.epochs, recipe.training.seed) == (30, 3)
    # The pruned networks are to fit into the same bytes, however wide they were.
    narrow, wide = TASKS["fashion"].budgets, TASKS["fashion-full-wide"].budgets
    assert {name for name in narrow if narrow[name] != wide[name]} == {"1"}
