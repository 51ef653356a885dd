from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune.budget import Budget
from mcuprune.errors import InputError, TrainingDivergedError
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

Arrays = tuple[np.ndarray, np.ndarray]


def train(
    model: Any, pruner: Pruner, optimizer: Any, digits: Arrays, steps: int
) -> tuple[list[float], list[float]]:
    """A loop of the user's own; returns loss and penalty of each step."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def make_step() -> Any:
        @tf.function
        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss, penalty = loss_of(y, model(x, training=True)), pruner.penalty()
                total = loss + penalty
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
            return loss, penalty

        return step

    x, y = digits
    step, seen = make_step(), []
    for index in range(steps):
        batch = slice(index * 64 % 1024, index * 64 % 1024 + 64)
        seen.append([float(value) for value in step(x[batch], y[batch])])
        if pruner.step():
            step = make_step()
    pruner.finish()
    losses, penalties = zip(*seen, strict=True)
    return list(losses), list(penalties)


def test_a_loop_of_the_users_own_ends_within_the_budget(digits: Arrays) -> None:
    keras.utils.set_random_seed(0)
    model, optimizer = digits_cnn(), keras.optimizers.Adam(3e-3)
    pruner = Pruner(
        model, Budget(macs=50_000), start_step=20, end_step=60, cuts=2, optimizer=optimizer
    )
    losses, penalties = train(model, pruner, optimizer, digits, steps=96)
    macs = pruner.resources()["macs"]
    first, second, third = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    by_hand = 576 * first + 144 * first * second + 36 * second * third + 10 * third
    assert macs == by_hand <= 50_000
    assert np.mean(losses[-16:]) < 0.5 * np.mean(losses[:16])
    # Nothing is due before step 20, nothing is owed after step 60.
    assert max(penalties[:20]) == 0.0
    assert max(penalties[20:60]) > 0.0
    assert max(penalties[60:]) == 0.0
    # The optimizer counted every step: it was rebuilt in place and not replaced.
    assert int(optimizer.iterations.numpy()) == 96


def test_a_loop_of_the_users_own_that_diverged_is_stopped(digits: Arrays) -> None:
    model, optimizer = digits_cnn(), keras.optimizers.Adam(3e-3)
    pruner = Pruner(
        model, Budget(macs=50_000), start_step=20, end_step=200, cuts=2, optimizer=optimizer
    )
    x, y = digits
    with pytest.raises(TrainingDivergedError, match="100 times in a row"):
        train(model, pruner, optimizer, (x * np.nan, y), steps=101)
    assert not [w.path for w in model.weights if "gate" in w.path]


def test_the_penalty_is_zero_until_the_target_moves() -> None:
    model = digits_cnn()
    pruner = Pruner(model, Budget(macs=50_000), start_step=10, end_step=20)
    assert float(pruner.penalty()) == 0.0
    pruner.release()


def test_a_met_budget_leaves_the_model_untouched() -> None:
    model = digits_cnn()
    weights = list(model.weights)
    pruner = Pruner(model, Budget(macs="1M"))
    assert pruner.done
    assert float(pruner.penalty()) == 0.0
    assert not pruner.step()
    pruner.finish()
    assert [id(w) for w in model.weights] == [id(w) for w in weights]


def test_steps_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="start_step < end_step"):
        Pruner(digits_cnn(), Budget(macs=50_000), start_step=5, end_step=5)
