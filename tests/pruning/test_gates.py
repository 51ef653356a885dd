from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import mcuprune
from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut
from mcuprune.pruning.gates import Gates
from mcuprune.recipes.models import resnet8


def normalised() -> keras.Model:
    """Channels that are mixed by statistics and by kernels both."""
    inputs = keras.Input((8, 8, 1))
    x = layers.LayerNormalization()(layers.Conv2D(4, 3, name="stem")(inputs))
    x = layers.GroupNormalization(2)(layers.Conv2D(6, 1, name="stack2_conv2")(x))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@pytest.mark.parametrize("build", [lambda: resnet8((8, 8, 1), 3, widths=(3, 4, 5)), normalised])
def test_sensitivity_is_the_derivative_of_the_loss_by_the_gate(
    build: Callable[[], keras.Model],
) -> None:
    """Against central differences of the loss in each gate, consumers summed."""
    keras.utils.set_random_seed(1)
    model = build()
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


class Bilinear(keras.Layer):
    """A user's layer with two weights that mix its input's channels."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def build(self, shape: Any) -> None:
        self.left = self.add_weight(shape=(shape[-1], self.units), name="left")
        self.right = self.add_weight(shape=(self.units, shape[-1]), name="right")

    def call(self, x: Any) -> Any:
        return keras.ops.matmul(x, self.left) * keras.ops.matmul(x, keras.ops.transpose(self.right))


def test_a_users_layer_with_a_rule_is_gated_and_cut_in_all_its_weights() -> None:
    @mcuprune.channel_rule(Bilinear)
    def bilinear(call: Any, inputs: Any, coupler: Any) -> mcuprune.Effect:
        made = coupler.new_group(call.layer.units)
        reads = (
            mcuprune.WeightAxis("left", 0, inputs[0]),
            mcuprune.WeightAxis("right", 1, inputs[0]),
        )
        makes = (mcuprune.WeightAxis("left", 1, made), mcuprune.WeightAxis("right", 0, made))
        sizes = (mcuprune.ConfigSize("units", made),)
        return mcuprune.Effect(made, axes=(*reads, *makes), gates=reads, sizes=sizes)

    inputs = keras.Input((7,))
    x = Bilinear(6, name="bilinear")(layers.Dense(5, name="dense")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(x))
    groups = coupling_groups(model)
    assert {g.name: g.width for g in groups.prunable} == {"dense": 5, "bilinear": 6}
    gates = Gates(model, groups, groups.prunable)
    gates.attach()
    gates.assign({"dense": np.array([1, 0, 1, 0, 1]), "bilinear": np.array([0, 1, 1, 1, 0, 0])})
    x = np.random.default_rng(0).normal(size=(4, 7)).astype("float32")
    masked = model(x).numpy()
    gates.detach()
    cut(groups, {"dense": np.array([0, 2, 4]), "bilinear": np.array([1, 2, 3])})
    assert model.get_layer("bilinear").units == 3
    assert model.get_layer("bilinear").right.shape == (3, 3)
    np.testing.assert_allclose(model(x).numpy(), masked, atol=1e-6)
