import numpy as np
import pytest

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.memory import arena_head, arena_tail
from mcuprune.deployment.convert import convert_int8
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.recipes.models import dscnn, fc_autoencoder, mobilenet_v1_025, resnet8


def block(height, width):
    """A network with a PAD, a depthwise multiplier, a residual add and two kinds of pooling."""
    from keras import Input, Model, layers

    inputs = Input((height, width, 3))
    x = layers.ZeroPadding2D(1)(inputs)
    x = layers.Conv2D(7, 3, strides=2)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = layers.Add()([x, layers.Conv2D(14, 1, activation="relu")(x)])
    x = layers.MaxPooling2D(2)(x)
    x = layers.Concatenate()([x, layers.Conv2D(5, 3, padding="same")(x)])
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(3, activation="softmax")(x))


def randomized(model):
    """Replace biases and statistics of zeros and ones: equal constants are stored once."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights(
            [
                generator.uniform(0.1, 1.0, w.shape) if w.ndim == 1 else w
                for w in layer.get_weights()
            ]
        )
    return model


QUICK = {
    "block": lambda: block(17, 12),
    "dscnn": lambda: dscnn((49, 10, 1), 12, widths=(5, 9, 16, 3, 30)),
    "resnet8": lambda: resnet8((16, 16, 3), widths=(1, 6, 11)),
}
SLOW = {
    "dscnn full": dscnn,
    "resnet8 full": resnet8,
    "mobilenet": mobilenet_v1_025,
    "autoencoder": fc_autoencoder,
}


@pytest.mark.parametrize("name", QUICK)
def test_prediction_before_conversion_equals_the_file_and_tflm(name):
    check_prediction(QUICK[name]())


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_prediction_before_conversion_equals_the_file_and_tflm_for_references(name):
    check_prediction(SLOW[name]())


def check_prediction(model):
    randomized(model)
    calibration = np.random.default_rng(1).normal(size=(8, *model.input_shape[1:]))
    file = convert_int8(model, calibration.astype("float32"))
    used = TFLM().arena(file)
    predicted = graph_from_keras(model)
    assert flash_bytes(predicted) == flash_bytes(parse_tflite(file, "file")) == len(file)
    assert arena_head(predicted) == used.head_bytes
    assert arena_tail(predicted) == used.tail_bytes


def dense(channels: int) -> Graph:
    tensors = (
        Tensor("x", (1, 16)),
        Tensor("k", (channels, 16), is_constant=True, quantization_scales=channels),
        Tensor("b", (channels,), 32, "int32", is_constant=True, quantization_scales=channels),
        Tensor("y", (1, channels)),
    )
    return Graph("dense", tensors, (Operator(0, "FULLY_CONNECTED", (0, 1, 2), (3,)),), (0,), (3,))


def test_a_channel_costs_its_weights_bias_scales_and_zero_points():
    # 16 weights, a 4-byte bias; scale (4) and zero point (8) of both
    assert flash_bytes(dense(48)) - flash_bytes(dense(32)) == 16 * (16 + 4 + 2 * (4 + 8))


def test_shared_constants_are_stored_once():
    graph = dense(32)
    one, two = (Tensor(n, (64,), is_constant=True, buffer=7) for n in "pq")
    apart = Tensor("q", (64,), is_constant=True, buffer=8)
    shared = Graph("shared", (*graph.tensors, one, two), graph.operators, (0,), (3,))
    separate = Graph("separate", (*graph.tensors, one, apart), graph.operators, (0,), (3,))
    # the data, its 32-bit count padded to 16, a table and its place in the list of buffers
    assert flash_bytes(separate) - flash_bytes(shared) in range(64 + 12, 64 + 32 + 1)
