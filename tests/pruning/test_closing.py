"""A cut that was prepared removes closed channels only."""

import math
from typing import Any

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.pruning.closing import Closing
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn, resnet8

IMAGES = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
BUDGET = Budget(sram=3_500, flash=16_000)
END = 400
# ResNet-8's groups.
RESIDUAL = (
    "stem",
    "stack1_conv1",
    "stack2_conv1",
    "stack2_conv2",
    "stack3_conv1",
    "stack3_conv2",
)


def outputs(model: Any) -> np.ndarray:
    return np.asarray(model(IMAGES, training=False))


def change(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.abs(after - before).max() / np.ptp(before))


def network() -> Any:
    keras.utils.set_random_seed(0)
    return digits_cnn()


def test_a_prepared_cut_changes_nothing_that_the_network_computes() -> None:
    model = network()
    pruner = Pruner(model, BUDGET, end_step=END, cuts=1)
    for _ in range(END - 1):
        assert not pruner.step()
    before = outputs(model)
    assert pruner.step()
    # One of the last moves before the cut is still missing there: a hundredth of the way.
    assert change(before, outputs(model)) < 0.02


def test_a_cut_without_preparation_does() -> None:
    model = network()
    before = outputs(model)
    Pruner(model, BUDGET).finish()
    assert change(before, outputs(model)) > 0.1


def test_channels_close_only_in_the_second_half_of_the_way_to_a_cut() -> None:
    pruner = Pruner(network(), BUDGET, end_step=END, cuts=2)
    closed_at = []
    for step in range(1, END // 2):
        pruner.step()
        if (pruner._closing is not None) != bool(closed_at):
            closed_at.append(step)
    assert closed_at == [END // 4]


def test_resources_reported_while_channels_close_come_down_to_the_cut() -> None:
    pruner = Pruner(network(), BUDGET, end_step=END, cuts=1)
    seen = []
    while not pruner.step():
        seen.append(pruner.resources())
    met = pruner.resources()
    assert all(met[name] <= limit for name, limit in BUDGET.limits())
    assert seen[-1]["flash"] <= seen[0]["flash"]
    assert seen[-1]["flash"] == pytest.approx(met["flash"], rel=0.05)


def test_gates_go_straight_from_where_they_are() -> None:
    before = {"a": np.array([1.0, 0.25, 0.0])}
    closing = Closing({"a": np.array([0, 2])}, before, start=0.5, due=0.75)
    assert closing.widths == {"a": 2}
    assert closing.gates(0.5)["a"].tolist() == [1.0, 0.25, 0.0]
    assert closing.gates(0.625)["a"].tolist() == [1.0, 0.125, 0.5]
    assert closing.gates(0.9)["a"].tolist() == [1.0, 0.0, 1.0]


def residual_cuts(cuts: int, sram: int) -> list[dict[str, int]]:
    """Return the widths after each cut; all channels matter alike, since nothing trains."""
    keras.utils.set_random_seed(0)
    model = resnet8(input_shape=(28, 28, 1), classes=10, activation=None)
    budget = Budget(sram=sram, flash=19_178)
    pruner, found = Pruner(model, budget, end_step=200, cuts=cuts), []
    while not pruner.done:
        if pruner.step():
            widths = pruner.groups.widths()
            found.append({name: widths[name] for name in RESIDUAL})
    needs = pruner.resources()
    assert all(needs[name] <= limit for name, limit in budget.limits())
    return found


def test_cuts_on_the_way_take_nothing_that_the_budget_would_leave() -> None:
    kept = {
        cuts: sum(math.log(last[name]) - 1 / last[name] for name in RESIDUAL)
        for cuts in (1, 3)
        for last in residual_cuts(cuts, sram=13_328)[-1:]
    }
    assert kept[3] >= kept[1] - 0.02


def test_a_group_that_one_channel_is_left_of_outlives_the_next_cut() -> None:
    stem = [widths["stem"] for widths in residual_cuts(3, sram=10_500)]
    assert stem[1:] == [1, 1]
    assert stem[0] > 1
