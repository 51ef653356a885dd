"""What a recipe's controls of pruning do before anything is trained."""

import pytest

from mcuprune.errors import InfeasibleBudgetError, InputError
from mcuprune.recipes.datasets.digits import load_digits
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.stages import check_pruning


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
