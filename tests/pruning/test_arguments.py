from typing import Any

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.errors import InputError
from mcuprune.pruning.callback import MCUPruning
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

BUDGET = Budget(macs=60_000)


@pytest.mark.parametrize("exclude", [None, 3, ["conv1", 3], {"conv1": 3}])
def test_what_chooses_no_layers_is_refused(exclude: Any) -> None:
    with pytest.raises(InputError, match="give a layer name, pattern or class, or a list"):
        MCUPruning(BUDGET, exclude=exclude)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_channels": "8"}, "max_channels is '8': give a whole number of at least 1"),
        ({"max_channels": {"conv*": 0}}, r"max_channels\['conv\*'\] is 0: it must be at least 1"),
        ({"min_channels": {keras.layers.Dense: 1.5}}, r"min_channels\[Dense\] is 1.5"),
        ({"max_channels": {3: 8}}, "max_channels has the key 3: give a layer name"),
        ({"min_channels": None}, "min_channels is None"),
        ({"min_channels": 8, "max_channels": 4}, "max_channels 4 is below min_channels 8"),
    ],
)
def test_numbers_of_channels_that_are_none_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MCUPruning(BUDGET, **options)


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
        ({"round_to": "4"}, "round_to is '4'"),
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
