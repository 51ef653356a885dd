"""What a recipe's controls of pruning do before anything is trained."""

from pathlib import Path
from typing import Any

import pytest

from mcuprune.errors import InfeasibleBudgetError, InputError
from mcuprune.recipes.datasets.digits import load_digits
from mcuprune.recipes.fingerprints import reference_fingerprint
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.stages import check_pruning, train_pruned


def check(*overrides: str) -> None:
    check_pruning(load_recipe("digits", overrides), load_digits())


def test_widths_are_rounded_for_the_board_of_the_deployment() -> None:
    # In multiples of 16 the network's narrowest has 16 channels in each of three layers.
    board = "deploy.board=corstone-300-m55"
    with pytest.raises(InfeasibleBudgetError, match="with round_to=1 this budget can be met"):
        check(board, "pruning.options.round_to=null")
    check(board)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("exclude=[Conv3D]", "exclude: no layer matches 'Conv3D'.* Classes: Conv2D"),
        ("max_channels={conv1: 2.5}", r"max_channels\['conv1'\] is 2.5"),
        ("max_channels={classes: 2}", "'classes' keeps its 10"),
        ("min_channels={Conv2D: 16}", "budget of .* cannot be met"),
        ("round_to=0", "round_to is 0: it must be at least 1"),
    ],
)
def test_controls_that_cannot_hold_are_refused(override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(f"pruning.options.{override}")


def test_controls_in_yaml_choose_by_name_and_class() -> None:
    check("pruning.options={exclude: [Dense], max_channels: {'conv*': 12, Conv2D: 8}}")


class Begun(Exception):
    """Training would begin here."""


def test_the_pruned_network_can_have_a_learning_rate_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rates = []

    def fit(model: Any, *_: Any, **__: Any) -> None:
        rates.append(float(model.optimizer.learning_rate))
        raise Begun

    monkeypatch.setattr("mcuprune.recipes.stages.fit", fit)
    data, own = load_digits(), load_recipe("digits", ["pruning.learning_rate=0.01"])
    for recipe in (own, load_recipe("digits")):
        with pytest.raises(Begun):
            train_pruned(recipe, data, tmp_path)
    assert rates == pytest.approx([0.01, load_recipe("digits").training.learning_rate])
    # The reference is the same one: it keeps the recipe's rate.
    assert reference_fingerprint(own, data) == reference_fingerprint(load_recipe("digits"), data)
