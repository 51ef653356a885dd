"""Optimizers and schedules as a recipe names them."""

from __future__ import annotations

import keras
import pytest

from mcuprune.recipes.schema import TrainingSection
from mcuprune.recipes.training import compile_model


def compiled(**options):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    compile_model(model, TrainingSection(epochs=5, batch_size=4, **options), 5, train_inputs=10)
    return model


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
    ],
)
def test_optimizer(name, kind):
    optimizer = compiled(optimizer=name, schedule="constant", learning_rate=0.5).optimizer
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate) == 0.5


def test_cosine_falls_to_zero_over_all_steps():
    schedule = compiled(schedule="cosine", learning_rate=0.5).optimizer._learning_rate
    # 10 inputs in batches of 4 are 3 steps, 15 in 5 epochs; half way it is half.
    assert float(schedule(0)) == pytest.approx(0.5)
    assert float(schedule(7.5)) == pytest.approx(0.25)
    assert float(schedule(15)) == pytest.approx(0.0, abs=1e-7)


def test_logits_and_softmax_get_the_same_loss():
    inputs, target = keras.ops.ones((1, 4)), keras.ops.one_hot([1], 3)
    logits = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    softmax = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    softmax.set_weights(logits.get_weights())
    losses = []
    for model in (logits, softmax):
        compile_model(model, TrainingSection(epochs=1), 1, train_inputs=1)
        losses.append(float(model.loss(target, model(inputs))))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
