from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mcuprune.channels.analysis import coupling_groups
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
    assert flat.terms == {("conv",): 36}


class Mixer(keras.Layer):
    def call(self, x: Any) -> Any:
        return keras.ops.flip(x, -1)


def test_a_layer_without_a_rule_freezes_its_neighbours_and_says_so() -> None:
    def build(x: Any) -> Any:
        x = layers.Conv2D(4, 3, name="before")(x)
        x = Mixer(name="mix")(x)
        x = layers.Conv2D(5, 3, name="after")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    groups = coupling_groups(model(build))
    assert groups.groups["before"].frozen == "mix (Mixer) has no channel rule"
    assert [g.name for g in groups.prunable] == ["after"]


class Dense(keras.Layer):
    """Bears the name of one of Keras's layers, does something else."""

    def call(self, x: Any) -> Any:
        return keras.ops.flip(x, -1)


def test_a_users_layer_is_not_taken_for_keras_own_by_its_name() -> None:
    def build(x: Any) -> Any:
        x = Dense(name="mine")(layers.Conv2D(4, 3, name="before")(x))
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    assert coupling_groups(model(build)).groups["before"].frozen == (
        "mine (Dense) has no channel rule"
    )


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
    left, right = (list(range(10)[groups.slices[name]]) for name in ("left", "right"))
    rows = groups.layers["out"].axes[0].layout.channels.tolist()
    assert rows == [*left, *right, *left]


def test_grouped_convolutions_lose_as_many_channels_in_every_group() -> None:
    """2 groups of 3: channel i goes with channel i + 3, on both sides."""

    def build(x: Any) -> Any:
        x = layers.Conv2D(6, 1, name="before")(x)
        x = layers.Conv2D(6, 3, groups=2, name="grouped")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    groups = coupling_groups(model(build))
    assert [(g.name, g.width, g.frozen) for g in groups.prunable] == [
        ("before", 3, None),
        ("grouped", 3, None),
    ]
    assert groups.dims()["before/0:0"].terms == {("before",): 2}


def test_grouped_convolutions_with_many_groups_lose_whole_groups() -> None:
    """3 groups of 2: a group's inputs and outputs go together."""

    def build(x: Any) -> Any:
        x = layers.Conv2D(6, 1, name="before")(x)
        x = layers.Conv2D(12, 3, groups=3, name="grouped")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    (group,) = coupling_groups(model(build)).prunable
    assert (group.width, group.producers) == (3, ("before", "grouped"))


def test_a_grouped_convolution_after_a_group_normalization_goes_by_the_same_groups() -> None:
    """8 groups of 4, then 4 groups of 8: places alone would leave 2 steps, whole groups leave 4."""

    def build(x: Any) -> Any:
        x = layers.GroupNormalization(8)(layers.Conv2D(32, 1, name="before")(x))
        x = layers.Conv2D(32, 3, groups=4, name="grouped")(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))

    (group,) = coupling_groups(model(build)).prunable
    assert (group.width, group.producers) == (4, ("before", "grouped"))


def test_a_sum_with_a_concatenation_divides_the_longer_layers_channels() -> None:
    def build(x: Any) -> Any:
        left = layers.Conv2D(4, 1, name="left")(x)
        right = layers.Conv2D(6, 1, name="right")(x)
        both = layers.Conv2D(10, 1, name="both")(x)
        y = layers.Add()([both, layers.Concatenate()([left, right])])
        return layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(y))

    found = {g.name: (g.width, g.producers) for g in coupling_groups(model(build)).prunable}
    assert found == {"left": (4, ("left", "both")), "right": (6, ("right", "both"))}


def test_a_sum_with_a_doubled_tensor_ties_both_halves() -> None:
    def build(x: Any) -> Any:
        once = layers.Conv2D(4, 1, name="once")(x)
        twice = layers.Conv2D(8, 1, name="twice")(x)
        y = layers.Add()([twice, layers.Concatenate()([once, once])])
        return layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(y))

    groups = coupling_groups(model(build))
    assert [(g.width, g.producers) for g in groups.prunable] == [(4, ("once", "twice"))]
    assert groups.dims()["twice/0:0"].terms == {("once",): 2}


def test_slices_of_one_layer_are_groups_of_their_own() -> None:
    def build(x: Any) -> Any:
        x = layers.Conv2D(10, 1, name="conv")(x)
        y = layers.Conv2D(4, 1, name="other")(x[..., :4])
        y = layers.Add()([y, x[..., 6:]])
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(y))

    found = {g.name: (g.width, g.producers) for g in coupling_groups(model(build)).prunable}
    assert found == {
        "conv": (4, ("conv",)),
        "conv#2": (2, ("conv",)),
        "conv#3": (4, ("conv", "other")),
    }


def test_a_dense_layer_reshaped_to_an_image_loses_whole_channels() -> None:
    inputs = keras.Input((5,))
    x = layers.Reshape((2, 2, 3))(layers.Dense(12, name="dense")(inputs))
    net = keras.Model(inputs, layers.Conv2DTranspose(1, 3)(x))
    groups = coupling_groups(net)
    assert [(g.name, g.width) for g in groups.prunable] == [("dense", 3)]
    assert groups.dims()["dense/0:0"].terms == {("dense",): 4}


def test_layers_of_nested_models_go_by_their_path_and_shared_ones_by_one() -> None:
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, name="conv"),
            layers.GlobalMaxPooling2D(name="most"),
        ],
        name="encoder",
    )
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    net = keras.Model(
        [a, b], layers.Dense(1, name="score")(layers.Subtract(name="gap")([encoder(a), encoder(b)]))
    )
    (group,) = coupling_groups(net).prunable
    assert (group.name, group.width, group.producers) == ("encoder/conv", 6, ("encoder/conv",))
    assert group.members == ("encoder/conv", "encoder/most", "gap", "score")


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_subclassed_models_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedModelError, match="functional API"):
        coupling_groups(Subclassed())


def test_the_way_out_of_a_subclassed_model_keeps_layers_and_weights() -> None:
    model = Subclassed()
    values = np.ones((2, 4), np.float32)
    expected = model(values)
    inputs = keras.Input((4,))
    readable = keras.Model(inputs, model.call(inputs))
    assert coupling_groups(readable).groups
    np.testing.assert_array_equal(readable(values), expected)
    assert readable.layers[-1] is model.dense


def test_unbuilt_sequential_models_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedModelError, match=r"keras\.Input"):
        coupling_groups(keras.Sequential([layers.Dense(2)]))


def test_what_is_no_model_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="found str"):
        coupling_groups("model.keras")
