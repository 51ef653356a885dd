import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune.channels.analysis import coupling_groups
from mcuprune.pruning.gates import Gates
from mcuprune.recipes.models import resnet8


def test_sensitivity_is_the_derivative_of_the_loss_by_the_gate() -> None:
    """Against central differences of the loss in each gate, consumers summed."""
    keras.utils.set_random_seed(1)
    model = resnet8((8, 8, 1), 3, widths=(3, 4, 5))
    groups = coupling_groups(model)
    gates = Gates(model, groups, groups.prunable)
    gates.attach()
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    y = np.array([0, 1, 2, 1])
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    def loss() -> float:
        return float(loss_of(y, model(x)))

    model.compile(keras.optimizers.SGD(0.0), loss_of)
    with tf.GradientTape() as tape:
        value = loss_of(y, model(x))
    variables = model.trainable_variables
    model.optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
    found = gates.sensitivities()
    step = 3e-3
    for name in ("stem", "stack2_conv2"):
        for channel in range(len(found[name])):
            nudged = np.ones(len(found[name]))
            nudged[channel] += step
            gates.assign({name: nudged})
            above = loss()
            nudged[channel] -= 2 * step
            gates.assign({name: nudged})
            slope = (above - loss()) / (2 * step)
            gates.assign({name: np.ones(len(found[name]))})
            assert found[name][channel] == pytest.approx(slope, rel=0.02, abs=2e-3)


def test_folding_keeps_the_function_and_opens_the_gates() -> None:
    keras.utils.set_random_seed(1)
    model = resnet8((8, 8, 1), 3)
    groups = coupling_groups(model)
    gates = Gates(model, groups, groups.prunable)
    gates.attach()
    rng = np.random.default_rng(0)
    gates.assign({g.name: rng.uniform(size=g.width) for g in groups.prunable})
    x = rng.normal(size=(4, 8, 8, 1)).astype("float32")
    before = model(x).numpy()
    gates.fold()
    np.testing.assert_allclose(model(x).numpy(), before, atol=1e-6)
    gates.detach()
    np.testing.assert_allclose(model(x).numpy(), before, atol=1e-6)
