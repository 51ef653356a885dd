from __future__ import annotations

import keras
import numpy as np
import pytest
from packaging.version import Version

from mcuprune.deployment.convert import convert_int8
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import input_quantization, quantized_inputs
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import ConversionError, InputError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite


def small(*layers, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape), *layers])


def noise(*shape):
    return np.random.RandomState(0).normal(size=shape).astype(np.float32)


def test_operators_are_those_of_the_network_and_nothing_else(digits_tflite):
    kinds = [operator.kind for operator in parse_tflite(digits_tflite, "m").operators]
    assert kinds == [
        "CONV_2D",
        "MAX_POOL_2D",
        "CONV_2D",
        "MAX_POOL_2D",
        "MEAN",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]


def test_everything_is_int8_and_weights_are_per_channel(digits_tflite):
    graph = parse_tflite(digits_tflite, "m")
    first = graph.operators[0]
    weights = graph.tensors[first.inputs[1]]
    assert (weights.shape, weights.dtype, weights.quantization_scales) == ((8, 3, 3, 1), "int8", 8)
    assert graph.tensors[first.inputs[2]].dtype == "int32"
    assert first.attributes["fused_activation"] == "RELU"
    assert {t.dtype for t in graph.tensors if not t.is_constant} == {"int8"}
    assert graph.tensors[graph.inputs[0]].shape == (1, 8, 8, 1)
    assert graph.tensors[graph.inputs[0]].name == "input"


def test_accuracy_survives(digits_model, digits_tflite, digit_images):
    images, labels = digit_images[0][1497:], digit_images[1][1497:]
    quantized = input_quantization(digits_tflite).quantize(images)
    answers = LiteRT().run(digits_tflite, quantized).outputs.argmax(1)
    reference = digits_model.predict(images, verbose=0).argmax(1)
    assert np.mean(answers == reference) >= 0.98
    assert abs(np.mean(answers == labels) - np.mean(reference == labels)) <= 0.015


def test_same_model_gives_the_same_file(digits_model, digits_tflite, digit_images):
    clone = keras.models.clone_model(digits_model)
    clone.set_weights(digits_model.get_weights())
    assert convert_int8(clone, digit_images[0][:100]) == digits_tflite


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_converted_as_float32(policy):
    def build(dtype):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Conv2D(4, 3, use_bias=False, dtype=dtype),
                layers.BatchNormalization(dtype=dtype),
                layers.ReLU(dtype=dtype),
                layers.TimeDistributed(layers.Dense(4, dtype=dtype), dtype=dtype),
                layers.Flatten(dtype=dtype),
                layers.Dense(3, dtype=dtype),
            ],
            name="mixed",
        )

    mixed, plain = build(policy), build("float32")
    plain.set_weights(mixed.get_weights())
    data = noise(20, 8, 8, 1)
    assert convert_int8(mixed, data) == convert_int8(plain, data)
    assert mixed.layers[0].compute_dtype == policy.removeprefix("mixed_")


def test_flatten_and_reshape_need_no_shape_arithmetic():
    layers = keras.layers
    model = small(
        layers.Conv2D(4, 3, dilation_rate=2),
        layers.Reshape((16, 4, 1)),
        layers.Flatten(),
        layers.Dense(3),
    )
    kinds = [o.kind for o in parse_tflite(convert_int8(model, noise(20, 8, 8, 1)), "m").operators]
    # The two reshapes fold into one.
    assert kinds == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]


@pytest.mark.skipif(
    Version(keras.__version__) < Version("3.15"),
    reason="Keras below 3.15 multiplies by the comparison as a float, which conversion refuses",
)
def test_choices_by_comparison_run_on_tflm():
    layers = keras.layers
    model = small(
        layers.Conv2D(4, 3), layers.ReLU(threshold=0.5), layers.Flatten(), layers.Dense(3)
    )
    data = noise(20, 8, 8, 1)
    file = convert_int8(model, data)
    graph = parse_tflite(file, "m")
    chosen = [op for op in graph.operators if op.kind in ("GREATER", "SELECT_V2")]
    assert [graph.tensors[op.outputs[0]].dtype for op in chosen] == ["bool", "int8"]
    quantized = quantized_inputs(file, [data])
    ours = TFLM().run(file, quantized).outputs.astype(int)
    theirs = LiteRT().run(file, quantized).outputs.astype(int)
    assert np.abs(ours - theirs).max() <= 1


def test_conversion_is_silent(capfd):
    convert_int8(small(keras.layers.Flatten(), keras.layers.Dense(2)), noise(5, 8, 8, 1))
    assert capfd.readouterr() == ("", "")


def test_shape_arithmetic_is_named():
    @keras.saving.register_keras_serializable("test_convert")
    class Cast(keras.layers.Layer):
        def call(self, x):
            return keras.ops.cast(keras.ops.cast(x, "int32"), "float32")

    with pytest.raises(ConversionError, match=r"not full int8: operator .*CAST"):
        convert_int8(small(Cast(), keras.layers.Dense(2)), noise(5, 8, 8, 1))


def test_operator_unknown_to_tflite_is_named(capfd):
    @keras.saving.register_keras_serializable("test_convert")
    class InverseError(keras.layers.Layer):
        def call(self, x):
            return keras.ops.erfinv(x)

    inverse = keras.Sequential([keras.Input((4,)), InverseError()], name="inverse")
    with pytest.raises(ConversionError, match=r"refuses model 'inverse': 'tf\.Erfinv'"):
        convert_int8(inverse, noise(5, 4))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.SimpleRNN(4),
        keras.layers.LSTM(4),
        keras.layers.GRU(5),
        keras.layers.Bidirectional(keras.layers.LSTM(4)),
        keras.layers.TimeDistributed(keras.layers.Dense(4)),
    ],
    ids=lambda layer: layer.name,
)
def test_layers_over_time_compute_the_same(layer):
    model = small(layer, keras.layers.Flatten(), keras.layers.Dense(5), shape=(6, 3))
    data = noise(100, 6, 3)
    file = convert_int8(model, data)
    answers = LiteRT().run(file, quantized_inputs(file, data)).outputs
    real = keras.ops.convert_to_numpy(model(data))
    assert np.corrcoef(real.ravel(), answers.ravel())[0, 1] > 0.99
    assert not getattr(layer, "unroll", False)
    assert convert_int8(model, data) == file


def test_open_input_shape_is_refused():
    model = small(keras.layers.Conv2D(2, 3), shape=(None, None, 1))
    with pytest.raises(UnsupportedModelError, match="fixed"):
        convert_int8(model, noise(5, 8, 8, 1))


def two_by_two():
    image, side = keras.Input((8, 8, 1), name="image"), keras.Input((6,), name="side")
    seen = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu")(image))
    both = keras.layers.Concatenate()([seen, keras.layers.Dense(8)(side)])
    return keras.Model([image, side], [keras.layers.Dense(3)(both), keras.layers.Dense(1)(both)])


def siamese():
    encoder = small(keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten())
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = keras.layers.Subtract()([encoder(left), encoder(right)])
    return keras.Model([left, right], keras.layers.Dense(5)(apart))


@pytest.mark.parametrize("build", [two_by_two, siamese])
def test_inputs_and_outputs_keep_the_order_of_the_model(build):
    model = build()
    inputs = [noise(40, *tensor.shape[1:]) * (1 + i) for i, tensor in enumerate(model.inputs)]
    file = convert_int8(model, inputs)
    graph = parse_tflite(file, "m")
    assert [graph.tensors[i].name for i in graph.inputs] == ["input", "input_1"]
    assert {graph.tensors[i].dtype for i in (*graph.inputs, *graph.outputs)} == {"int8"}
    answers = LiteRT().run(file, quantized_inputs(file, inputs)).all_outputs
    expected = keras.tree.flatten(model(inputs))
    assert [answer.shape for answer in answers] == [tuple(tensor.shape) for tensor in expected]
    for answer, tensor in zip(answers, expected, strict=True):
        real = keras.ops.convert_to_numpy(tensor).ravel()
        assert np.corrcoef(real, answer.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (noise(5, 8, 8, 1), "2 inputs, the calibration data are ndarray: give a list.*image, side"),
        ([noise(5, 8, 8, 1)], "are 1 arrays"),
        ((noise(5, 8, 8, 1), noise(4, 6)), "hold 5, 4 samples"),
        ([noise(5, 6), noise(5, 8, 8, 1)], r"shape \(5, 6\), the model takes \(n, 8, 8, 1\)"),
    ],
)
def test_unfit_calibration_data_for_two_inputs(calibration, message):
    with pytest.raises(InputError, match=message):
        convert_int8(two_by_two(), calibration)


def test_places_in_a_table_stay_integers():
    places = keras.Input((12,), dtype="int32")
    told = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(20, 8)(places))
    model = keras.Model(places, keras.layers.Dense(3)(told))
    given = np.random.RandomState(0).randint(0, 20, (30, 12))
    file = convert_int8(model, given)
    graph = parse_tflite(file, "m")
    assert graph.tensors[graph.inputs[0]].dtype == "int32"
    answers = LiteRT().run(file, quantized_inputs(file, given)).outputs
    real = keras.ops.convert_to_numpy(model(given))
    assert np.corrcoef(real.ravel(), answers.ravel())[0, 1] > 0.99


def test_a_loop_in_a_layer_of_the_users_is_refused_before_it_crashes():
    @keras.saving.register_keras_serializable("test_convert")
    class Doubling(keras.layers.Layer):
        def call(self, x):
            return keras.ops.fori_loop(0, 3, lambda _, y: y + y, x)

    with pytest.raises(ConversionError, match=r"doubling.*/while' is a loop or a branch"):
        convert_int8(small(Doubling(name="doubling"), shape=(4,)), noise(5, 4))


def test_input_and_output_in_a_dict_are_refused_and_what_to_deploy_works():
    image = keras.Input((4,), name="image")
    classes = keras.layers.Dense(2)(image)
    for held, found in (
        (keras.Model({"image": image}, classes), "input in a dict"),
        (keras.Model(image, {"classes": classes}), "output in a dict"),
    ):
        with pytest.raises(UnsupportedModelError, match=found):
            convert_int8(held, noise(5, 4))
        plain = keras.Model(held.inputs, held.outputs)
        kinds = [o.kind for o in parse_tflite(convert_int8(plain, noise(5, 4)), "m").operators]
        assert kinds == ["FULLY_CONNECTED"]


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (np.zeros((5, 8, 8)), r"shape \(5, 8, 8\), the model takes \(n, 8, 8, 1\)"),
        (np.zeros((0, 8, 8, 1)), "n of at least 1"),
        (np.full((5, 8, 8, 1), np.nan), "320 of 320 calibration values are NaN"),
        (np.ones((5, 8, 8, 1)), "every calibration value is 1"),
        (np.full((5, 8, 8, 1), "a"), "array of numbers"),
        (None, "array of numbers"),
    ],
)
def test_unfit_calibration_data(calibration, message, digits_model):
    with pytest.raises(InputError, match=message):
        convert_int8(digits_model, calibration)
