from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from mcuprune.budget import Budget
from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.pruning.arguments import require_matches
from mcuprune.pruning.callback import MCUPruning
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

BUDGET = Budget(macs=60_000)


def test_one_text_is_one_pattern() -> None:
    model = digits_cnn()
    pruner = Pruner(model, BUDGET, exclude="conv1*")
    # Of conv1, conv2 and conv3 the first keeps its channels.
    assert sorted(pruner.widths().values()) == [32, 64]
    pruner.release()
    assert MCUPruning(BUDGET, exclude="conv1*").get_config()["exclude"] == ["conv1*"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("convolution1", "no layer matches 'convolution1': did you mean 'conv1'"),
        ("Conv1*", "did you mean 'conv1'"),
        ("", "no layer matches ''"),
    ],
)
def test_a_pattern_without_a_layer_names_the_nearest(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Pruner(digits_cnn(), BUDGET, exclude=["conv2", pattern])


def test_of_many_layers_ten_are_named() -> None:
    with pytest.raises(InputError, match=r"Layers: a0, .*a9 and 2 more\.$"):
        require_matches(["x"], [f"a{index}" for index in range(12)])


@pytest.mark.parametrize("exclude", [None, 3, ["conv1", 3]])
def test_what_is_no_pattern_is_refused(exclude: Any) -> None:
    with pytest.raises(InputError, match="give a layer name or pattern"):
        MCUPruning(BUDGET, exclude=exclude)


def test_a_model_under_a_strategy_is_refused_before_training(digits: Any, compiled: Any) -> None:
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        model = compiled()
    weights = model.get_weights()
    with pytest.raises(UnsupportedModelError, match=r"OneDeviceStrategy \(replicas: 1\)"):
        model.fit(*digits, epochs=2, verbose=0, callbacks=[MCUPruning(BUDGET)])
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))


def test_a_strategy_in_effect_is_refused() -> None:
    model = digits_cnn()
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(UnsupportedModelError, match=r"outside strategy\.scope"):
        Pruner(model, BUDGET)


def test_a_budget_of_another_type_is_refused() -> None:
    for take in (lambda: MCUPruning("64KiB"), lambda: Pruner(digits_cnn(), "64KiB")):  # type: ignore[arg-type]
        with pytest.raises(InputError, match="expected a Budget, found str"):
            take()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_epoch": "1"}, "start_epoch is '1': give a whole number of at least 0"),
        ({"start_epoch": 0.5}, "start_epoch is 0.5"),
        ({"end_epoch": "8"}, "end_epoch is '8': give a whole number of at least 1"),
        ({"start_epoch": True}, "start_epoch is True"),
        ({"cuts": 1.0}, "cuts is 1.0"),
        ({"cuts": 0}, "cuts is 0: it must be at least 1"),
        ({"round_to": None}, "round_to is None"),
        ({"min_channels": "4"}, "min_channels is '4'"),
    ],
)
def test_numbers_that_are_none_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MCUPruning(BUDGET, **options)


def test_whole_numbers_of_numpy_are_taken() -> None:
    pruning = MCUPruning(BUDGET, start_epoch=np.int64(2), end_epoch=np.int32(3), cuts=np.uint8(2))
    config = pruning.get_config()
    assert [config[name] for name in ("start_epoch", "end_epoch", "cuts")] == [2, 3, 2]
    assert {type(config[name]) for name in ("start_epoch", "end_epoch", "cuts")} == {int}


def test_steps_of_another_type_are_refused() -> None:
    with pytest.raises(InputError, match=r"end_step is 9\.5"):
        Pruner(digits_cnn(), BUDGET, end_step=9.5)  # type: ignore[arg-type]
