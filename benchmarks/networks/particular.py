"""Networks with layers of a kind of their own: other norms, users' layers, frozen parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import Input, Model, layers

import mcuprune
from mcuprune.channels.effect import Effect, WeightAxis


def other_norms() -> Any:
    """Layer norm, group norm and PReLU, with slopes per channel and per position."""
    inputs = Input((8, 8, 3))
    x = layers.LayerNormalization()(layers.Conv2D(10, 3, padding="same")(inputs))
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.Conv2D(12, 3, padding="same")(x)
    x = layers.GroupNormalization(groups=4)(x)
    x = layers.Activation("gelu")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = layers.PReLU()(layers.GroupNormalization(groups=-1)(x))
    x = layers.Conv2D(9, 3, padding="same")(x)
    x = layers.Activation("swish")(layers.GroupNormalization(groups=1)(x))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.LayerNormalization(center=False)(layers.Dense(11)(x))
    return Model(inputs, layers.Dense(4)(x), name="other_norms")


def decoder() -> Any:
    """A generator: Dense, Reshape to an image of channels, transposed convolutions."""
    inputs = Input((6,))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(4 * 4 * 10)(inputs)))
    x = layers.Reshape((4, 4, 10))(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(5, 4, strides=2, padding="same", activation="relu")(x)
    return Model(inputs, layers.Conv2D(1, 3, padding="same")(x), name="decoder")


@keras.saving.register_keras_serializable("mcuprune_benchmarks")
class Squash(keras.layers.Layer):
    """Scales each channel by a factor of its own and squashes it; has a channel rule."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return keras.ops.tanh(inputs * self.scale)


@mcuprune.channel_rule(Squash)
def squash(call: Any, inputs: Any, coupler: Any) -> Effect:  # noqa: ARG001
    """Keep one factor per channel."""
    (source,) = inputs
    return Effect(source, axes=(WeightAxis("scale", -1, source),))


@keras.saving.register_keras_serializable("mcuprune_benchmarks")
class Mirror(keras.layers.Layer):
    """Turns the order of the channels round; has no channel rule."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.flip(inputs, axis=-1)


def custom_layers() -> Any:
    """A user's layer with a channel rule, then one without, which freezes what it touches."""
    inputs = Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="ruled")(inputs)
    x = layers.Conv2D(10, 3, padding="same", activation="relu")(Squash()(x))
    x = layers.Conv2D(6, 3, padding="same", name="unruled")(x)
    x = layers.Conv2D(7, 3, padding="same", activation="relu")(Mirror()(x))
    return Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)), name="custom_layers")


def attention() -> Any:
    """Convolutions before and after self-attention, whose own channels stay."""
    inputs = Input((16, 3))
    x = layers.Conv1D(9, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv1D(8, 3, padding="same", name="mixed")(x)
    x = layers.Add()([x, layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x)])
    x = layers.Conv1D(7, 3, padding="same", activation="relu")(x)
    return Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling1D()(x)), name="attention")


def recurrent() -> Any:
    """Convolutions before a GRU and dense layers behind it."""
    inputs = Input((16, 3))
    x = layers.Conv1D(10, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv1D(8, 3, padding="same", activation="relu", name="read")(x)
    x = layers.GRU(6)(x)
    return Model(inputs, layers.Dense(4)(layers.Dense(9, activation="relu")(x)), name="recurrent")


def embedding() -> Any:
    """A text classifier: an embedding, which stays, then convolutions."""
    inputs = Input((16,), dtype="int32")
    x = layers.Embedding(20, 8)(inputs)
    x = layers.Conv1D(10, 3, padding="same", activation="relu")(x)
    x = layers.Conv1D(9, 3, padding="same", activation="relu")(x)
    return Model(inputs, layers.Dense(4)(layers.GlobalMaxPooling1D()(x)), name="embedding")


PARTICULAR: dict[str, Callable[[], Any]] = {
    "other norms": other_norms,
    "decoder": decoder,
    "custom layers": custom_layers,
    "attention": attention,
    "recurrent": recurrent,
    "embedding": embedding,
}
