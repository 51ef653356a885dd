"""Models made under strategies of ``tf.distribute``, in one process."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune.budget import Budget
from mcuprune.cost.macs import total_macs
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.callback import MCUPruning
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

BUDGET = Budget(macs=60_000)


def trained(digits: Any, strategy: Any) -> Any:
    """Train a small network until its second and last cut."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = digits_cnn(widths=(4, 6, 8))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(3e-3), loss)
    pruning = MCUPruning(Budget(macs=4_000), start_epoch=0, end_epoch=2, cuts=2)
    few = digits[0][:128], digits[1][:128]
    model.fit(*few, epochs=2, shuffle=False, verbose=0, callbacks=[pruning])
    return model


@pytest.fixture(scope="module")
def expected(digits: Any) -> Any:
    return trained(digits, tf.distribute.get_strategy())


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (lambda: tf.distribute.MirroredStrategy(["/cpu:0"]), "MirroredVariable"),
        (lambda: tf.distribute.OneDeviceStrategy("/cpu:0"), "ResourceVariable"),
    ],
    ids=["mirrored", "one device"],
)
def test_variables_of_a_strategy_are_cut_as_others_are(
    strategy: Any, kind: str, digits: Any, expected: Any
) -> None:
    model = trained(digits, strategy())
    # 64*9*4 (conv1) + 16*36*6 (conv2) + 4*54*8 (conv3) + 80 (dense) = 7,568 MACs uncut.
    assert total_macs(graph_from_keras(model)) <= 4_000
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    variables = (*model.variables, *model.optimizer.variables)
    assert {type(variable._value).__name__ for variable in variables} == {kind}


def test_a_model_that_the_strategy_in_effect_did_not_make_is_refused() -> None:
    model = digits_cnn()
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(UnsupportedModelError, match=r"within strategy\.scope"):
        Pruner(model, BUDGET)


def test_a_strategy_that_mirrors_no_variables_is_refused(digits: Any, compiled: Any) -> None:
    place = "/cpu:0"
    with tf.distribute.experimental.CentralStorageStrategy([place], place).scope():
        model = compiled()
    weights = model.get_weights()
    with pytest.raises(UnsupportedModelError, match=r"made under tf\.distribute's Cent"):
        model.fit(*digits, epochs=2, verbose=0, callbacks=[MCUPruning(BUDGET)])
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))
