"""Shares that can be pruned and what is frozen; counts by hand."""

from typing import Any

import keras

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.share import (
    FrozenLayer,
    Share,
    channel_share,
    frozen_layers,
    parameter_share,
)

layers = keras.layers


@keras.saving.register_keras_serializable("test_share")
class Mystery(layers.Layer):
    """A layer with a weight per channel and no channel rule."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x: Any) -> Any:
        return x * self.factor


def test_a_classifier() -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(3, name="classes"),
        ]
    )
    groups = coupling_groups(model)
    # The classes stay. Of the parameters only their three biases have no prunable channel.
    assert channel_share(groups) == Share(4, 4 + 3)
    assert parameter_share(groups) == Share(36 + 4 + 4 * 4 + 12, 36 + 4 + 4 * 4 + 12 + 3)
    (classes,) = frozen_layers(groups)
    assert classes == FrozenLayer("classes", "Dense", "it is an output of the model")


def test_layers_without_a_rule_count_among_all() -> None:
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, name="first")(inputs)
    x = Mystery(name="mystery")(x)
    x = layers.Conv2D(5, 3, use_bias=False, name="second")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    groups = coupling_groups(keras.Model(inputs, layers.Dense(3, name="classes")(x)))
    # first (4) is frozen, mystery gives out 4 channels of its own, second (5) can be pruned.
    assert channel_share(groups) == Share(5, 4 + 4 + 5 + 3)
    assert parameter_share(groups) == Share(9 * 4 * 5 + 5 * 3, 40 + 4 + 9 * 4 * 5 + 5 * 3 + 3)
    assert [(one.name, one.kind) for one in frozen_layers(groups)] == [
        ("first", "Conv2D"),
        ("mystery", "Mystery"),
        ("classes", "Dense"),
    ]
    first, mystery, _ = frozen_layers(groups)
    assert "mystery (Mystery)" in first.reason
    assert mystery.reason == "it has no channel rule"


def test_what_standardizes_the_inputs_is_not_frozen() -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Normalization(mean=0.5, variance=2.0, name="normalize"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2D(4, 3, name="conv"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(3, name="classes"),
        ]
    )
    groups = coupling_groups(model)
    assert channel_share(groups) == Share(4, 4 + 3)
    assert [one.name for one in frozen_layers(groups)] == ["classes"]


def test_shares_are_rounded_down() -> None:
    assert str(Share(1_999, 2_000)) == "99.9% (1,999 of 2,000)"
    assert str(Share(2_000, 2_000)) == "100.0% (2,000 of 2,000)"
    assert str(Share(0, 0)) == "0.0% (0 of 0)"
