"""A variable of another shape is, for all that uses it, one that was made with that shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut
from mcuprune.channels.variables import replace_value

SMALLER = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def variable() -> Any:
    found = keras.Variable(np.zeros((4, 5), np.float32))
    replace_value(found, SMALLER)
    return found


def test_value_and_shape_are_new_and_the_object_is_not() -> None:
    variable = keras.Variable(np.zeros((4, 5), np.float32))
    alias = variable
    replace_value(variable, SMALLER)
    np.testing.assert_array_equal(alias.numpy(), SMALLER)
    assert alias.shape == (2, 3)
    assert alias.value.shape == (2, 3)


def test_functions_are_traced_with_the_shape(variable: Any) -> None:
    @tf.function
    def double() -> Any:
        return 2 * variable.value

    assert double.get_concrete_function().output_shapes == (2, 3)
    np.testing.assert_array_equal(double(), 2 * SMALLER)


@pytest.mark.parametrize("jit", [False, True])
def test_gradients_and_updates_in_compiled_functions(variable: Any, jit: bool) -> None:
    @tf.function(jit_compile=jit)
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(variable.value**2)
        (gradient,) = tape.gradient(loss, [variable.value])
        variable.assign_sub(0.5 * gradient)
        return gradient

    assert step.get_concrete_function().output_shapes == (2, 3)
    np.testing.assert_array_equal(step(), 2 * SMALLER)
    np.testing.assert_array_equal(variable.numpy(), np.zeros((2, 3)))


@pytest.mark.parametrize("shape", [(4, 5), (3, 2), (6,)])
def test_arrays_of_other_shapes_are_refused(variable: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        variable.assign(np.zeros(shape, np.float32))


def test_type_and_trainability_stay() -> None:
    counter = keras.Variable(np.zeros(3, np.int64), dtype="int64", trainable=False)
    replace_value(counter, np.array([1, 2]))
    assert counter.dtype == "int64"
    assert not counter.value.trainable


def test_a_cut_model_is_exported_and_checkpointed(tmp_path: Path) -> None:
    inputs = keras.Input((6,))
    x = keras.layers.Dense(5, name="narrower", activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    cut(coupling_groups(model), {"narrower": np.array([0, 3])})
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    expected = model(x).numpy()

    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(x).numpy(), expected, rtol=1e-6)

    saved = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
    for weight in model.weights:
        weight.assign(weight * 0)
    tf.train.Checkpoint(model=model).restore(saved).assert_existing_objects_matched()
    np.testing.assert_array_equal(model(x).numpy(), expected)
