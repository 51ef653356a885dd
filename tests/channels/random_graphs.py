"""Small random networks, described by short lists of steps, so that failures shrink and print well.

A step is ``(kind, a, b, n)``: ``a`` and ``b`` choose among the tensors made so far (counted from
the latest, modulo their number), ``n`` sets a size. Every list of steps is a valid network: a step
that does not fit its tensors is left out, so that any part of a failing list can be dropped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
from hypothesis import strategies as st
from keras import layers

import mcuprune

Step = tuple[str, int, int, int]
# Dimensions of the images, channels of the input, steps.
Described = tuple[int, int, list[Step]]

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "elu", "softplus")
LARGEST_SIDE, MOST_CHANNELS = 8, 24


@dataclasses.dataclass
class Builder:
    """The tensors made so far, and how many dimensions (1 or 2) their images have."""

    dims: int
    tensors: list[Any]

    def at(self, index: int) -> Any:
        """Return a tensor, counted from the latest."""
        return self.tensors[-1 - index % len(self.tensors)]

    def alike(self, x: Any, index: int, channels: bool = True) -> Any:
        """Return one of the tensors of the shape of ``x`` (or of its image, whatever channels)."""
        end = None if channels else -1
        found = [t for t in self.tensors if tuple(t.shape[:end]) == tuple(x.shape[:end])]
        return found[-1 - index % len(found)]

    def layer(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return a layer whose class's name has the number of dimensions in it."""
        return getattr(layers, name.replace("#", f"{self.dims}D"))(*args, **kwargs)

    def side(self, x: Any) -> int:
        """Return the shortest side of an image."""
        return min(x.shape[1:-1])


Kind = Callable[[Builder, Any, int, int], Any]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    """Register a kind of step: from builder, tensor, second choice and size to new tensors."""
    KINDS[function.__name__] = function
    return function


@kind
def conv(net: Builder, x: Any, b: int, n: int) -> Any:
    moves = ({}, {"dilation_rate": 2}, {}, {"strides": 2})[b % 4]
    padding = "causal" if net.dims == 1 and n == 4 else "same"
    activation = ACTIVATIONS[(b + n) % len(ACTIVATIONS)]
    return net.layer(
        "Conv#", 2 + n, 1 + 2 * (b % 2), padding=padding, activation=activation, **moves
    )(x)


@kind
def grouped_conv(net: Builder, x: Any, b: int, n: int) -> Any:
    groups = 2 + b % 2
    if x.shape[-1] % groups:
        return None
    return net.layer("Conv#", groups * (1 + n), 3, padding="same", groups=groups)(x)


@kind
def depthwise(net: Builder, x: Any, b: int, n: int) -> Any:
    if b % 3 == 2:
        return net.layer("DepthwiseConv#", 3, padding="same", activation="tanh")(x)
    return net.layer("DepthwiseConv#", 3, padding="same", depth_multiplier=1 + n % 3)(x)


@kind
def separable(net: Builder, x: Any, b: int, n: int) -> Any:
    return net.layer("SeparableConv#", 2 + n, 3, padding="same", depth_multiplier=1 + b % 2)(x)


@kind
def transposed(net: Builder, x: Any, b: int, n: int) -> Any:
    strides = 2 if net.side(x) <= LARGEST_SIDE // 2 and b % 2 else 1
    return net.layer("Conv#Transpose", 2 + n, 3, strides=strides, padding="same")(x)


@kind
def dense_per_pixel(net: Builder, x: Any, b: int, n: int) -> Any:
    return layers.Dense(2 + n, activation=ACTIVATIONS[b % len(ACTIVATIONS)])(x)


@kind
def norm(net: Builder, x: Any, b: int, n: int) -> Any:
    if b % 4 == 0:
        return (layers.LayerNormalization(), layers.RMSNormalization())[n % 2](x)
    if b % 4 == 1 and x.shape[-1] % (1 + n) == 0:
        return layers.GroupNormalization(groups=1 + n)(x)
    return layers.BatchNormalization(scale=n % 2 == 0)(x)


@kind
def activation(net: Builder, x: Any, b: int, n: int) -> Any:
    made = (
        layers.PReLU(shared_axes=list(range(1, net.dims + 1))),
        layers.PReLU(),
        layers.LeakyReLU(0.2),
        layers.Activation("gelu"),
        layers.ReLU(6.0),
    )
    return made[(b + n) % len(made)](x)


@kind
def passing_on(net: Builder, x: Any, b: int, n: int) -> Any:
    """Make an image larger or smaller, or leave it: each channel by itself."""
    made = [layers.Dropout(0.1), layers.Rescaling(0.5, 0.1), net.layer("SpatialDropout#", 0.1)]
    if net.side(x) >= 2:
        made += [net.layer("MaxPooling#", 2), net.layer("AveragePooling#", 2)]
    if net.side(x) >= 3:
        made += [net.layer("Cropping#", 1)]
    if net.side(x) < LARGEST_SIDE:
        made += [net.layer("ZeroPadding#", 1)]
    if net.side(x) <= LARGEST_SIDE // 2:
        made += [net.layer("UpSampling#", 2)]
    return made[(b + n) % len(made)](x)


@kind
def merge(net: Builder, x: Any, b: int, n: int) -> Any:
    merges = (layers.Add, layers.Subtract, layers.Multiply, layers.Maximum, layers.Average)
    return merges[n % len(merges)]()([x, net.alike(x, b)])


@kind
def operator(net: Builder, x: Any, b: int, n: int) -> Any:
    y = net.alike(x, b)
    return (lambda: x + y, lambda: x * y, lambda: x * 2.0 - 0.5, lambda: 0.3 + x)[n % 4]()


@kind
def concat(net: Builder, x: Any, b: int, n: int) -> Any:
    parts = [x, net.alike(x, b, channels=False), net.alike(x, b + n, channels=False)]
    return layers.Concatenate()(parts[: 2 + n % 2])


@kind
def concat_in_space(net: Builder, x: Any, b: int, n: int) -> Any:
    if 2 * x.shape[1] > LARGEST_SIDE:
        return None
    return layers.Concatenate(axis=1)([x, net.alike(x, b)])


@kind
def excite(net: Builder, x: Any, b: int, n: int) -> Any:
    """Squeeze and excite, or weigh the pixels by a tensor of one channel."""
    if b % 3 == 2:
        return layers.Multiply()([x, net.layer("Conv#", 1, 1, activation="sigmoid")(x)])
    s = net.layer("GlobalAveragePooling#", keepdims=b % 3 == 0)(x)
    s = layers.Dense(x.shape[-1], activation="sigmoid")(layers.Dense(1 + n)(s))
    if b % 3 == 1:
        s = layers.Reshape((1,) * net.dims + (x.shape[-1],))(s)
    return layers.Multiply()([x, s])


@kind
def split(net: Builder, x: Any, b: int, n: int) -> Any:
    channels = x.shape[-1]
    if b % 2 and channels % 2 == 0:
        return keras.ops.split(x, 2, axis=-1)
    return keras.ops.split(x, [1 + n % (channels - 1)], axis=-1) if channels > 1 else None


@kind
def part(net: Builder, x: Any, b: int, n: int) -> Any:
    """Slice channels, or pixels."""
    at = 1 + n % max(1, x.shape[-1] - 1)
    slices = (lambda: x[..., :at], lambda: x[..., ::2], lambda: x[:, : x.shape[1] // 2 + 1])
    chosen = slices[b % 3]()
    return x[..., at:] if b % 4 == 3 and at < x.shape[-1] else chosen


@kind
def reshape(net: Builder, x: Any, b: int, n: int) -> Any:
    """Flatten the pixels and bring them back, or exchange the sides."""
    if b % 3 == 2 and net.dims == 2:
        return layers.Permute((2, 1, 3))(x)
    shape = tuple(x.shape[1:])
    flat = layers.Reshape((-1, shape[-1]) if b % 3 else (-1,))(x)
    return layers.Reshape(shape)(layers.Activation("tanh")(flat))


@kind
def image_from_dense(net: Builder, x: Any, b: int, n: int) -> Any:
    flat = layers.Flatten()(x) if b % 2 else net.layer("GlobalMaxPooling#")(x)
    made = layers.Dense(2**net.dims * (1 + n))(flat)
    return layers.Reshape((2,) * net.dims + (1 + n,))(made)


@kind
def shared(net: Builder, x: Any, b: int, n: int) -> Any:
    """Call one convolution on two tensors, or on its own output."""
    layer = net.layer("Conv#", x.shape[-1] if n % 2 else 2 + n, 3, padding="same")
    if n % 2:
        return layer(layers.Activation("relu")(layer(x)))
    return [layer(x), layer(net.alike(x, b))]


@kind
def nested(net: Builder, x: Any, b: int, n: int) -> Any:
    """Call a model inside the model, once or twice."""
    inputs = keras.Input(tuple(x.shape[1:]))
    y = net.layer("Conv#", 2 + n, 3, padding="same", activation="relu")(inputs)
    y = layers.BatchNormalization()(y)
    if b % 2:
        y = layers.Concatenate()([y, inputs])
    model = keras.Model(inputs, y)
    return [model(x), model(net.alike(x, b))] if n % 2 else model(x)


@keras.saving.register_keras_serializable("random_graphs")
class Reversed(layers.Layer):
    """A user's layer without a channel rule."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.flip(inputs, axis=-1)


@keras.saving.register_keras_serializable("random_graphs")
class Scaled(layers.Layer):
    """A user's layer with a channel rule: one learned factor per channel."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


@mcuprune.channel_rule(Scaled)
def scaled(call: Any, inputs: Any, coupler: Any) -> mcuprune.Effect:
    return mcuprune.Effect(inputs[0], axes=(mcuprune.WeightAxis("factor", -1, inputs[0]),))


@kind
def users(net: Builder, x: Any, b: int, n: int) -> Any:
    return Scaled()(x)


@kind
def frozen(net: Builder, x: Any, b: int, n: int) -> Any:
    """Layers of Keras whose own channels stay: recurrent ones and attention."""
    if net.dims == 2:
        return layers.Softmax()(x)
    if b % 2:
        return layers.MultiHeadAttention(num_heads=1, key_dim=2)(x, net.alike(x, b))
    return layers.GRU(2 + n, return_sequences=True)(x)


@kind
def unknown(net: Builder, x: Any, b: int, n: int) -> Any:
    return Reversed()(x)


def network(dims: int, channels: int, steps: list[Step]) -> Any:
    """Build a network: the steps, then the tensors that nothing reads, pooled, into one layer."""
    inputs = keras.Input((6,) * dims + (channels,))
    net = Builder(dims, [inputs, *_conv_first(dims, inputs)])
    read: set[int] = set()
    for name, a, b, n in steps:
        x = net.at(a)
        made = KINDS[name](net, x, b, n)
        for tensor in keras.tree.flatten(made):
            if tensor is not None and tensor.shape[-1] <= MOST_CHANNELS:
                net.tensors.append(tensor)
                read.add(id(x))
    ends = [t for t in net.tensors[1:] if id(t) not in read]
    pooled = [net.layer("GlobalAveragePooling#")(end) for end in ends]
    joined = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    return keras.Model(inputs, layers.Dense(3)(joined))


def _conv_first(dims: int, inputs: Any) -> list[Any]:
    """Start with two tensors of one shape that can be pruned."""
    conv = getattr(layers, f"Conv{dims}D")
    return [conv(4, 3, padding="same", activation="relu")(inputs), conv(4, 1)(inputs)]


# Kinds after which channels may be frozen come up no oftener than the others.
_steps = st.tuples(
    st.sampled_from(sorted(KINDS)), st.integers(0, 4), st.integers(0, 5), st.integers(0, 4)
)


def networks(most_steps: int) -> Any:
    """Strategy for the arguments of :func:`network`."""
    return st.tuples(
        st.sampled_from([2, 2, 1]),
        st.integers(1, 3),
        st.lists(_steps, min_size=2, max_size=most_steps),
    )
