"""Small networks with the joints that matter to rounding, their batch norms filled with noise."""

from __future__ import annotations

import keras
import numpy as np

layers = keras.layers


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def filled(model, seed=0):
    """Give batch norms and biases numbers that differ from channel to channel."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        values = [
            random.uniform(0.5, 2, w.shape)
            if w.name in ("moving_variance", "gamma")
            else random.normal(size=w.shape) / 2
            for w in layer.weights
        ]
        layer.set_weights(values) if values else None
    return model


def _conv_bn_relu(x, width, name, **options):
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=name, **options)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def residual():
    """Stem, a residual block whose sum is activated, average pooling, logits."""
    inputs = keras.Input((8, 8, 2), name="image")
    x = _conv_bn_relu(inputs, 4, "stem")
    y = layers.Conv2D(4, 3, padding="same", name="second")(x)
    y = layers.BatchNormalization(name="second_bn", center=False)(y)
    x = layers.ReLU(name="joined")(layers.Add(name="sum")([x, y]))
    x = layers.AveragePooling2D(2, name="average")(x)
    x = layers.Flatten(name="flatten")(layers.Dropout(0.3, name="dropout")(x))
    return filled(keras.Model(inputs, layers.Dense(5, name="classes")(x), name="residual"))


def separable():
    """Depthwise with a multiplier, pointwise with ReLU6, mean, dense with batch norm, softmax."""
    inputs = keras.Input((9, 9, 3), name="image")
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(inputs)
    x = layers.ReLU(6.0, name="limited")(layers.BatchNormalization(name="depthwise_bn")(x))
    x = layers.Conv2D(5, 1, activation="relu", name="pointwise")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(6, name="hidden")(x)
    x = layers.LeakyReLU(0.1, name="leaky")(layers.BatchNormalization(name="hidden_bn")(x))
    x = layers.Dense(4, activation="softmax", name="classes")(x)
    return filled(keras.Model(inputs, x, name="separable"))


def branches():
    """Branches that meet in a concatenation, a gate of sigmoids, pooling, two outputs."""
    inputs = keras.Input((8, 8, 2), name="image")
    left = layers.Conv2D(3, 3, padding="same", activation="relu", name="left")(inputs)
    right = layers.Conv2D(2, 3, padding="same", name="right")(inputs)
    x = layers.Concatenate(name="both")([left, right])
    x = layers.MaxPooling2D(2, name="pool")(x)
    gate = layers.Conv2D(5, 1, activation="sigmoid", name="gate")(x)
    x = layers.Multiply(name="gated")([x, gate])
    outputs = [layers.Conv2D(2, 1, name="map")(x), layers.Dense(3, name="vector")(_flat(x))]
    return filled(keras.Model(inputs, outputs, name="branches"))


def _flat(x):
    return layers.Flatten(name="flatten")(layers.ZeroPadding2D(1, name="padding")(x))


def sequence():
    """A causal and a plain Conv1D over time."""
    inputs = keras.Input((16, 3), name="signal")
    x = layers.Conv1D(4, 3, padding="causal", dilation_rate=2, use_bias=False, name="causal")(
        inputs
    )
    x = layers.ReLU(name="causal_relu")(layers.BatchNormalization(name="causal_bn")(x))
    x = layers.Conv1D(5, 3, strides=2, activation="relu", name="second")(layers.MaxPooling1D(2)(x))
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    return filled(keras.Model(inputs, layers.Dense(2, name="classes")(x), name="sequence"))


def separable_layers():
    """SeparableConv2D with and without batch norm and bias."""
    inputs = keras.Input((9, 9, 3), name="image")
    x = layers.SeparableConv2D(6, 3, strides=2, padding="same", use_bias=False, name="first")(
        inputs
    )
    x = layers.ReLU(name="first_relu")(layers.BatchNormalization(name="first_bn")(x))
    x = layers.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu", name="second")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    model = keras.Model(inputs, layers.Dense(3, name="classes")(x), name="separable_layers")
    return filled(model)


def sums():
    """A sum of three, bilinear upsampling, a maximum."""
    inputs = keras.Input((6, 6, 2), name="image")
    parts = [layers.Conv2D(3, 1, name=f"part{number}")(inputs) for number in range(3)]
    x = layers.ReLU(name="limited")(layers.Add(name="sum")(parts))
    x = layers.UpSampling2D(2, interpolation="bilinear", name="larger")(x)
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="detail")(x)
    x = layers.GlobalMaxPooling2D(name="peak")(layers.Maximum(name="maximum")([x, y]))
    return filled(keras.Model(inputs, layers.Dense(3, name="classes")(x), name="sums"))


def shared():
    """One convolution and one dense layer for the image and for a smaller view of it."""
    inputs = keras.Input((8, 8, 2), name="image")
    convolution = layers.Conv2D(4, 3, padding="same", activation="relu", name="convolution")
    hidden = layers.Dense(6, activation="relu", name="hidden")
    views = [inputs, layers.Conv2D(2, 3, strides=2, name="smaller")(inputs)]
    means = [
        layers.GlobalAveragePooling2D(name=f"mean_{number}")(convolution(view))
        for number, view in enumerate(views)
    ]
    x = layers.Concatenate(name="joined")([hidden(mean) for mean in means])
    return filled(keras.Model(inputs, layers.Dense(3, name="classes")(x), name="shared"))


BUILDERS = (residual, separable, branches, sequence, separable_layers, sums, shared)
NETWORKS = {build.__name__: build for build in BUILDERS}
