"""Exclusions, floors, caps and rounding: which groups they mean, and what training leaves."""

from typing import Any

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.errors import InfeasibleBudgetError, InputError, UnsupportedModelError
from mcuprune.pruning.callback import MCUPruning
from mcuprune.pruning.controls import Controls, GroupControls
from mcuprune.pruning.pruner import Pruner

layers = keras.layers
ROOMY = Budget(macs="10M")


def network() -> Any:
    """Groups: stem 12 (with its depthwise), expand 16, project 6 (added to its like), classes 3."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.BatchNormalization(momentum=0.9, name="norm")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depth")(x)
    x = first = layers.Conv2D(6, 1, name="project")(x)
    x = layers.Conv2D(16, 1, activation="relu", name="expand")(x)
    x = layers.Conv2D(6, 1, name="back")(x)
    x = layers.Add(name="sum")([first, x])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="classes")(x))


def on_network(**given: Any) -> GroupControls:
    arguments = {"exclude": (), "round_to": None, "min_channels": 1, "max_channels": None, **given}
    return Controls.given(**arguments).on(coupling_groups(network()), 1)


def widths(model: Any) -> dict[str, int]:
    """Return the number of channels that each layer puts out."""
    return {layer.name: layer.output.shape[-1] for layer in model.layers}


def cut_at_once(budget: Budget, **options: Any) -> dict[str, int]:
    """Cut a network without any training; returns the number of channels of each layer."""
    model = network()
    Pruner(model, budget, **options).finish()
    return widths(model)


@pytest.mark.parametrize(
    ("exclude", "groups"),
    [
        ("stem", {"stem"}),
        # Layers that hand channels on keep the group whose channels they put out.
        ("norm", {"stem"}),
        (layers.DepthwiseConv2D, {"stem"}),
        ("sum", {"project"}),
        ("back", {"project"}),
        (["stem", "expand"], {"stem", "expand"}),
        ([layers.Conv2D], {"stem", "project", "expand"}),
        ("Dense", {"classes"}),
        ((), set()),
    ],
)
def test_excluding_a_layer_keeps_its_output_channels(exclude: Any, groups: set[str]) -> None:
    assert on_network(exclude=exclude).excluded == groups


def test_numbers_hold_for_the_groups_that_the_layers_put_out() -> None:
    found = on_network(
        min_channels={"*": 2, "back": 4, "project": 3},
        max_channels={layers.Conv2D: 10, "DepthwiseConv2D": 8},
    )
    # Of several numbers the strictest holds: the largest floor, the smallest cap.
    assert found.floors == {"stem": 2, "project": 4, "expand": 2, "classes": 2}
    assert found.caps == {"stem": 8, "project": 10, "expand": 10}


def test_a_layer_of_several_groups_has_its_number_for_all_of_them() -> None:
    inputs = keras.Input((8, 8, 1))
    parts = keras.ops.split(layers.Conv2D(12, 3, name="conv")(inputs), [4], axis=-1)
    parts = [layers.Conv2D(5, 1, name=f"part{i}")(x) for i, x in enumerate(parts)]
    x = layers.GlobalAveragePooling2D()(layers.Concatenate(name="join")(parts))
    groups = coupling_groups(keras.Model(inputs, layers.Dense(3)(x)))
    assert [group.width for group in groups.groups.values()] == [4, 8, 5, 5, 3]
    given = Controls.given((), None, {"conv": 4}, {"conv": 7, "join": 4})
    found = given.on(groups, 1)
    first, second = list(groups.groups)[:2]
    # A third and two thirds of conv's numbers, rounded to its favour.
    assert (found.caps[first], found.caps[second]) == (2, 4)
    assert (found.floors[first], found.floors[second]) == (2, 3)
    # Layers that only hand channels on: the number is each group's.
    assert (found.caps["part0"], found.caps["part1"]) == (4, 4)


def test_a_cap_below_a_floor_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"allows group 'stem' 4 channels, min_channels asks for 8"
    ):
        on_network(min_channels={"stem": 8}, max_channels={"Conv2D": 4})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_channels": {"classes": 2}}, "'classes' keeps its 3 .*output of the model"),
        ({"max_channels": {"stem": 4}, "exclude": "norm"}, "'stem' keeps its 12 .it is excluded"),
        ({"max_channels": {"stemm": 4}}, "max_channels: no layer matches 'stemm'"),
        ({"min_channels": {"stemm": 4}}, "min_channels: no layer matches 'stemm'"),
    ],
)
def test_numbers_that_cannot_have_an_effect_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Pruner(network(), ROOMY, **options)


def test_excluding_everything_leaves_nothing_to_prune() -> None:
    with pytest.raises(UnsupportedModelError, match="no prunable channel"):
        Pruner(network(), ROOMY, exclude="*")


def test_caps_are_applied_where_the_budget_is_met_without() -> None:
    keras.utils.set_random_seed(0)
    model = network()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).random((128, 8, 8, 1), np.float32)
    pruning = MCUPruning(ROOMY, 0, 1, max_channels={"expand": 5, "depth": 7})
    model.fit(x, np.arange(128) % 3, epochs=2, batch_size=8, verbose=0, callbacks=[pruning])
    found = widths(model)
    assert found["expand"] == 5
    assert found["stem"] == found["norm"] == found["depth"] == 7
    assert found["project"] == found["back"] == 6
    assert np.isfinite(model.predict(x[:2], verbose=0)).all()


def test_a_cap_comes_down_over_the_pruning_phase() -> None:
    pruner = Pruner(network(), ROOMY, max_channels={"expand": 4}, end_step=200)
    assert not pruner.done
    seen = []
    for _ in range(4):
        pruner.step(25)
        seen.append(pruner.widths()["expand"])
    pruner.release()
    # Halfway 7/8 of the way from 16 to 4 channels are due: the cubic schedule of the targets.
    assert seen == sorted(seen, reverse=True)
    assert 16 > seen[0] > seen[-1] >= 5


def test_a_cap_for_all_leaves_narrower_and_frozen_groups_alone() -> None:
    found = cut_at_once(ROOMY, max_channels=8)
    assert [found[name] for name in ("stem", "expand", "project", "classes")] == [8, 8, 6, 3]
    # Met at once: nothing to do.
    assert Pruner(network(), ROOMY, max_channels=16).done


def test_floors_and_caps_hold_beside_a_budget() -> None:
    # 64 positions; MACs at stem 12, project 6, expand 16: 33,426.
    found = cut_at_once(Budget(macs=12_000), min_channels={"stem": 9}, max_channels={"expand": 4})
    assert found["stem"] >= 9
    assert found["expand"] <= 4


def test_widths_are_multiples_of_what_the_boards_kernels_take() -> None:
    found = cut_at_once(Budget(macs=16_000, board="nucleo-l4r5zi"))
    assert found["stem"] % 4 == found["expand"] % 4 == 0
    # project has 6 channels: all, or 4.
    assert found["project"] in (4, 6)
    assert found["stem"] < 12 or found["expand"] < 16


def test_groups_narrower_than_the_multiple_keep_their_width() -> None:
    found = cut_at_once(Budget(macs=20_000, board="esp32-s3-devkitc"))
    assert found["project"] == 6
    assert found["stem"] in (8, 12)
    assert found["expand"] in (8, 16)


def test_ones_own_multiple_goes_before_the_boards() -> None:
    pruner = Pruner(network(), Budget(macs=12_000, board="corstone-300-m55"), round_to=1)
    pruner.release()


def test_a_budget_that_frozen_channels_miss_names_them() -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(8, 1, name="held"),
            layers.Permute((3, 1, 2), name="turned"),
            layers.Conv2D(4, 1, name="across"),
            layers.Flatten(),
            layers.Dense(6, name="free"),
            layers.Dense(3, name="classes"),
        ]
    )
    with pytest.raises(InfeasibleBudgetError) as refusal:
        Pruner(model, Budget(macs=100))
    assert str(refusal.value).endswith(
        "All channels stay of: held (turned moves channels to another axis)."
    )
    # Nothing is frozen here but the output.
    with pytest.raises(InfeasibleBudgetError) as refusal:
        Pruner(network(), Budget(macs=100))
    assert "All channels stay" not in str(refusal.value)


def test_a_budget_that_rounding_alone_misses_names_the_way_out() -> None:
    # With multiples of 16 all groups keep their widths.
    budget = Budget(macs=12_000, board="corstone-300-m55")
    with pytest.raises(InfeasibleBudgetError, match=r"smallest multiple of 16 .* round_to=1"):
        Pruner(network(), budget)
    with pytest.raises(InfeasibleBudgetError) as refusal:
        Pruner(network(), Budget(macs=100, board="corstone-300-m55"))
    assert "round_to" not in str(refusal.value)
    with pytest.raises(InfeasibleBudgetError, match="keep fewer channels with exclude and min_"):
        Pruner(network(), Budget(macs=12_000), min_channels=12)
