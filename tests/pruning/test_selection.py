"""Which layers a name, pattern or class chooses; expectations read off the networks."""

from typing import Any

import keras
import pytest

from mcuprune.errors import InputError
from mcuprune.ir.keras_graph import layer_graph
from mcuprune.pruning.selection import Selection

layers = keras.layers


class WideConv(layers.Conv2D):
    """A class of the user's."""


@pytest.fixture(scope="module")
def selection() -> Selection:
    inner = keras.Sequential(
        [keras.Input((8, 8, 4)), layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu")],
        name="encoder",
    )
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    x = layers.DepthwiseConv2D(3, padding="same", name="depth")(x)
    x = inner(x)
    x = WideConv(4, 3, name="wide")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    # A layer that bears the name of another's class.
    x = layers.Dense(5, name="ReLU")(x)
    model = keras.Model(inputs, layers.Dense(3, name="classes")(x))
    return Selection(layer_graph(model).layers)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stem", ["stem"]),
        ("*conv", ["encoder/conv"]),
        ("encoder/conv", ["encoder/conv"]),
        # A nested model stands for its layers.
        ("encoder", ["encoder/conv", "encoder/relu"]),
        ("DepthwiseConv2D", ["depth"]),
        # Derived classes count too.
        ("Conv2D", ["stem", "encoder/conv", "wide"]),
        ("WideConv", ["wide"]),
        ("*Conv2D", ["stem", "depth", "encoder/conv", "wide"]),
        # A name goes before a class.
        ("ReLU", ["ReLU"]),
    ],
)
def test_names_patterns_and_classes(selection: Selection, text: str, found: list[str]) -> None:
    assert list(selection.find(text, "exclude")) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stemm", "exclude: no layer matches 'stemm': did you mean 'stem'"),
        ("STEM*", "did you mean 'stem'"),
        ("dense", "did you mean 'Dense'"),
        ("conv", "did you mean"),
        ("", "no layer matches ''"),
        ("nothing", "Layers: stem, depth, .* Classes: Conv2D, DepthwiseConv2D, ReLU, WideConv"),
    ],
)
def test_what_matches_nothing_names_the_nearest(
    selection: Selection, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        selection.find(text, "exclude")


def test_of_many_layers_ten_are_named() -> None:
    chain: list[Any] = [keras.Input((4,))]
    chain += [layers.Dense(2, name=f"a{index}") for index in range(12)]
    selection = Selection(layer_graph(keras.Sequential(chain)).layers)
    with pytest.raises(InputError, match=r"Layers: a0, .*a9 and 2 more\. Classes: Dense\.$"):
        selection.find("x", "max_channels")
