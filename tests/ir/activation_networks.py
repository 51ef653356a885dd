"""Networks with one activation each, in its own layer and as a function."""

from __future__ import annotations

import functools

import keras
from keras import layers
from small_networks import NETWORKS, build_network, network

_FUNCTIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_swish", "hard_tanh",
    "leaky_relu", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "squareplus", "tanh", "tanh_shrink",
)  # fmt: skip


def _after_a_convolution(function, x):
    x = layers.Activation(function)(layers.Conv2D(4, 3)(x))
    return layers.Activation(function)(layers.MaxPooling2D(2)(x))


for _function in _FUNCTIONS:
    NETWORKS[f"activation_{_function}"] = functools.partial(
        build_network, functools.partial(_after_a_convolution, _function), (8, 8, 3)
    )
SINGLE = tuple(f"activation_{function}" for function in _FUNCTIONS)


@network(8, 8, 3)
def operations_gelu(x):
    return keras.ops.gelu(layers.Conv2D(4, 3)(x), approximate=False)


@network(8, 8, 3)
def relu_with_other_limits(x):
    x = layers.ReLU(max_value=1.0)(layers.Conv2D(4, 3)(x))
    x = layers.ReLU(max_value=4.0)(layers.Conv2D(4, 3)(x))
    return layers.ReLU(max_value=0.5)(layers.MaxPooling2D(2)(x))


@network(8, 8, 3)
def relu_with_slope_and_limit(x):
    return layers.ReLU(max_value=4.0, negative_slope=0.1)(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def relu_with_threshold(x):
    return layers.ReLU(threshold=0.2)(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def relu_with_threshold_and_limit(x):
    return layers.ReLU(threshold=0.2, max_value=2.0)(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def relu_with_threshold_and_slope(x):
    return layers.ReLU(threshold=0.2, negative_slope=0.1)(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def relu_with_slope(x):
    return layers.ReLU(negative_slope=0.1)(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def elu_layer(x):
    return layers.ELU()(layers.Conv2D(4, 3)(x))


@network(8, 8, 3)
def prelu_per_element_and_shared(x):
    x = layers.PReLU()(layers.Conv2D(4, 3)(x))
    return layers.PReLU(shared_axes=[1, 2, 3])(layers.Conv2D(4, 3)(x))


@network(16, 3)
def prelu_over_time(x):
    return layers.PReLU(shared_axes=[1])(layers.Conv1D(4, 3)(x))


@network(8)
def prelu_of_vectors(x):
    return layers.PReLU()(layers.Dense(4)(x))
