from typing import Any

import keras
import pytest
from keras import layers

from mcuprune.channels.groups import coupling_groups
from mcuprune.errors import UnsupportedModelError
from mcuprune.recipes.models import dscnn, resnet8


def model(build: Any, shape: tuple[int, ...] = (8, 8, 3)) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, build(inputs))


def test_resnet8_has_one_group_per_residual_stream_and_one_inside_each_block() -> None:
    groups = coupling_groups(resnet8())
    made = {name: (g.width, g.producers, g.consumers) for name, g in groups.groups.items()}
    assert made == {
        "stem": (16, ("stem", "stack1_conv2"), ("stack1_conv1", "stack2_conv1", "stack2_shortcut")),
        "stack1_conv1": (16, ("stack1_conv1",), ("stack1_conv2",)),
        "stack2_conv1": (32, ("stack2_conv1",), ("stack2_conv2",)),
        "stack2_conv2": (
            32,
            ("stack2_conv2", "stack2_shortcut"),
            ("stack3_conv1", "stack3_shortcut"),
        ),
        "stack3_conv1": (64, ("stack3_conv1",), ("stack3_conv2",)),
        "stack3_conv2": (64, ("stack3_conv2", "stack3_shortcut"), ("classes",)),
        "classes": (10, ("classes",), ()),
    }
    assert groups.groups["classes"].frozen is not None
    assert len(groups.prunable) == 6


def test_depthwise_layers_share_their_producers_group() -> None:
    groups = coupling_groups(dscnn())
    assert [g.width for g in groups.prunable] == [64] * 5
    assert groups.groups["stem"].producers == ("stem",)


def test_flatten_repeats_channels_in_the_dense_layers_rows() -> None:
    net = model(
        lambda x: layers.Dense(2, name="out")(layers.Flatten()(layers.Conv2D(4, 3, name="conv")(x)))
    )
    dims = coupling_groups(net).dims()
    # 6 x 6 pixels of conv's 4 channels.
    flat = next(dim for key, dim in dims.items() if key.startswith("flatten"))
    assert flat.terms == (("conv", 36),)


def test_a_layer_without_a_rule_freezes_its_neighbours_and_says_so() -> None:
    def build(x: Any) -> Any:
        x = layers.Conv2D(4, 3, name="before")(x)
        x = layers.LayerNormalization(name="norm")(x)
        x = layers.Conv2D(5, 3, name="after")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    groups = coupling_groups(model(build))
    assert groups.groups["before"].frozen == "norm (LayerNormalization) has no channel rule"
    assert [g.name for g in groups.prunable] == ["after"]


def test_adding_to_the_input_freezes_the_group() -> None:
    def build(x: Any) -> Any:
        y = layers.Add(name="add")([x, layers.Conv2D(3, 3, padding="same", name="conv")(x)])
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(y))

    frozen = coupling_groups(model(build)).groups["conv"].frozen
    assert frozen == "add ties it to channels that are fixed"


def test_concatenation_keeps_groups_apart() -> None:
    def build(x: Any) -> Any:
        left = layers.Conv2D(4, 1, name="left")(x)
        right = layers.Conv2D(6, 1, name="right")(x)
        y = layers.Concatenate()([left, right, left])
        return layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(y))

    groups = coupling_groups(model(build))
    assert [(g.name, g.width) for g in groups.prunable] == [("left", 4), ("right", 6)]
    assert groups.layers["out"].axes[0].layout.groups == ("left", "right", "left")


def test_grouped_convolutions_freeze_both_sides() -> None:
    def build(x: Any) -> Any:
        x = layers.Conv2D(4, 1, name="before")(x)
        x = layers.Conv2D(4, 3, groups=2, name="grouped")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    groups = coupling_groups(model(build))
    assert groups.prunable == ()
    assert groups.groups["before"].frozen == "grouped is a grouped convolution"


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_subclassed_models_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedModelError, match="functional API"):
        coupling_groups(Subclassed())


def test_unbuilt_sequential_models_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedModelError, match=r"keras\.Input"):
        coupling_groups(keras.Sequential([layers.Dense(2)]))


def test_what_is_no_model_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="found str"):
        coupling_groups("model.keras")
