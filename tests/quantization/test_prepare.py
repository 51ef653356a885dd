"""Prepared models against the files they become: the same numbers, operators, tensors, bytes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from rounding_networks import NETWORKS, noise

import mcuprune
from mcuprune.deployment.convert import convert_int8
from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.ir.fake_quantization import FakeQuantizedDense
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.read import load_keras

layers = keras.layers
SAMPLES = 40


@pytest.fixture(scope="module", params=NETWORKS)
def converted(request):
    model = NETWORKS[request.param]()
    samples = noise(SAMPLES, *model.input_shape[1:])
    prepared = mcuprune.quantize_aware(model, samples)
    return model, samples, prepared, convert_int8(prepared, samples)


def shapes(tflite):
    graph = parse_tflite(tflite, "m")
    # Constants may come in another order.
    tensors = [(t.dtype, t.shape, t.quantization_scales) for t in graph.tensors]
    operators = [
        (op.kind, [tensors[i] for i in (*op.inputs, *op.outputs)], op.attributes)
        for op in graph.operators
    ]
    return operators, sorted(tensors)


def test_the_file_has_the_operators_tensors_and_length_of_one_quantized_after_training(converted):
    model, samples, _, tflite = converted
    after_training = convert_int8(model, samples)
    assert shapes(tflite) == shapes(after_training)
    assert len(tflite) == len(after_training)


def test_it_is_counted_like_the_model_it_was_prepared_from(converted):
    model, _, prepared, tflite = converted
    counted, original = mcuprune.estimate(prepared), mcuprune.estimate(model)
    names = ("peak_sram_bytes", "flash_bytes", "macs", "params")
    assert [getattr(counted, n) for n in names] == [getattr(original, n) for n in names]
    assert counted.flash_bytes == len(tflite)


def steps_off(prepared, tflite, samples):
    """Return by how many steps of their scale the outputs of the file and the model differ."""
    interpreter = Interpreter(
        model_content=tflite, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    scale, zero = given["quantization"]
    steps = np.clip(np.floor(samples / scale + 0.5) + zero, -128, 127).astype(np.int8)
    expected = [np.asarray(out) for out in keras.tree.flatten(prepared(samples, training=False))]
    off = []
    for number in range(len(samples)):
        interpreter.set_tensor(given["index"], steps[[number]])
        interpreter.invoke()
        for output, wanted in zip(interpreter.get_output_details(), expected, strict=True):
            scale, zero = output["quantization"]
            found = interpreter.get_tensor(output["index"]).astype(np.float32)
            off.append(np.abs(found - zero - wanted[[number]] / scale).ravel())
    return np.concatenate(off)


LONE_LAYERS = {
    "conv": (layers.Conv2D(4, 3, padding="same", activation="relu"), (8, 8, 3)),
    "strided": (layers.Conv2D(4, 3, strides=2, padding="same", dilation_rate=1), (9, 9, 3)),
    "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3)),
    "conv1d": (layers.Conv1D(4, 3, padding="causal"), (12, 3)),
    "dense": (layers.Dense(20, activation="relu6"), (16,)),
    "average": (layers.AveragePooling2D(3), (9, 9, 2)),
    "mean": (layers.GlobalAveragePooling2D(), (9, 9, 20)),
    "maximum": (layers.MaxPooling2D(2), (8, 8, 2)),
    "leaky": (layers.LeakyReLU(0.3), (8, 8, 2)),
    "upsampling": (layers.UpSampling2D(2), (4, 4, 2)),
}


@pytest.mark.parametrize("name", LONE_LAYERS)
def test_the_file_of_a_layer_computes_what_the_prepared_layer_computes(name):
    layer, shape = LONE_LAYERS[name]
    inputs = keras.Input(shape)
    model = keras.Model(inputs, type(layer).from_config(layer.get_config())(inputs))
    samples = noise(SAMPLES, *shape)
    prepared = mcuprune.quantize_aware(model, samples)
    off = steps_off(prepared, convert_int8(prepared, samples), samples)
    # Kernels round in fixed point: next to a tie that may go the other way. The reference kernels
    # of MEAN and LEAKY_RELU round twice.
    assert off.max() <= 1.01
    assert np.mean(off > 0.01) <= (0.2 if name in ("mean", "leaky") else 0.02)


def test_the_file_computes_what_the_model_computes(converted):
    """Ties of rounding aside, which each layer meets somewhere and hands on."""
    _, samples, prepared, tflite = converted
    off = steps_off(prepared, tflite, samples)
    assert np.mean(off) <= 1
    assert np.quantile(off, 0.95) <= 3.01


def test_it_is_close_to_the_float_model(converted):
    model, samples, prepared, _ = converted
    for found, wanted in zip(
        keras.tree.flatten(prepared(samples)), keras.tree.flatten(model(samples)), strict=True
    ):
        # Some 2% of the largest output: eight bits, a few layers deep.
        assert np.abs(np.asarray(found - wanted)).max() <= 0.05 * np.abs(np.asarray(wanted)).max()


def test_it_saves_and_loads(converted, tmp_path):
    _, samples, prepared, tflite = converted
    prepared.save(tmp_path / "prepared.keras")
    loaded = load_keras(tmp_path / "prepared.keras")
    for found, wanted in zip(
        keras.tree.flatten(loaded(samples)), keras.tree.flatten(prepared(samples)), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
    assert convert_int8(loaded, samples) == tflite


def test_training_lowers_the_loss_and_the_file_follows():
    model = NETWORKS["residual"]()
    inputs = noise(256, 8, 8, 2)
    labels = (inputs.mean(axis=(1, 2, 3)) > 0).astype(np.int64)
    prepared = mcuprune.quantize_aware(model, inputs[:100])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    prepared.compile(keras.optimizers.Adam(2e-3), loss)
    before = prepared.evaluate(inputs, labels, verbose=0)
    ranges = [w.numpy() for w in prepared.trainable_weights if w.name == "above_zero"]
    prepared.fit(inputs, labels, epochs=2, batch_size=32, verbose=0)
    assert prepared.evaluate(inputs, labels, verbose=0) < before / 2
    trained = [w.numpy() for w in prepared.trainable_weights if w.name == "above_zero"]
    assert sum(a != b for a, b in zip(ranges, trained, strict=True)) >= 2
    scales = {t.shape: t for t in parse_tflite(convert_int8(prepared, inputs), "m").tensors}
    assert scales[(1, 5)].dtype == "int8"


def test_the_model_given_stays_as_it_was():
    model = NETWORKS["residual"]()
    weights, config = model.get_weights(), model.get_config()
    prepared = mcuprune.quantize_aware(model, noise(10, 8, 8, 2))
    prepared.set_weights([w * 0 for w in prepared.get_weights()])
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert model.get_config() == config


def test_frozen_layers_stay_frozen():
    model = NETWORKS["residual"]()
    model.get_layer("stem").trainable = False
    prepared = mcuprune.quantize_aware(model, noise(10, 8, 8, 2))
    assert not prepared.get_layer("stem").trainable_weights
    assert len(prepared.get_layer("second").trainable_weights) == 2


def test_several_inputs_each_have_a_range():
    first, second = keras.Input((3,), name="first"), keras.Input((2,), name="second")
    x = layers.Concatenate()([layers.Dense(4, name="dense")(first), second])
    model = keras.Model([first, second], layers.Dense(2, name="out")(x), name="two")
    samples = [noise(50, 3), 10 * noise(50, 2, seed=1)]
    prepared = mcuprune.quantize_aware(model, samples)
    (out,) = prepared(samples).shape[1:]
    assert out == 2
    # The second input meets the dense layer in the concatenation: they share a range.
    shared = prepared.get_layer("second_range")
    widest = max(np.abs(samples[1]).max(), 1)
    assert float(shared.above_zero) == pytest.approx(samples[1].max(), rel=0.2)
    assert float(shared.below_zero) <= widest
    convert_int8(prepared, samples)


def test_unsound_calibration_and_prepared_models_are_refused():
    model = NETWORKS["residual"]()
    with pytest.raises(InputError, match=r"shape \(10, 8, 8\)"):
        mcuprune.quantize_aware(model, noise(10, 8, 8))
    prepared = mcuprune.quantize_aware(model, noise(10, 8, 8, 2))
    with pytest.raises(InputError, match="already: compile and fit"):
        mcuprune.quantize_aware(prepared, noise(10, 8, 8, 2))


class Wide(layers.Dense):
    """A dense layer made with an argument of its own; what it does is Dense's."""

    def __init__(self, half, **options):
        options.pop("units", None)
        super().__init__(2 * half, **options)
        self._half = half

    def get_config(self):
        return {**super().get_config(), "half": self._half}


def test_layers_derived_from_keras_own_are_what_they_derive_from():
    inputs = keras.Input((4,))
    x = layers.BatchNormalization()(Wide(3, name="wide")(inputs))
    model = keras.Model(inputs, x)
    samples = noise(30, 4)
    prepared = mcuprune.quantize_aware(model, samples)
    assert type(prepared.get_layer("wide")) is FakeQuantizedDense
    np.testing.assert_allclose(prepared(samples), model(samples), atol=0.1)


def test_a_users_layer_with_a_call_of_its_own_is_not_taken_for_keras_one():
    class Dense(layers.Layer):
        def call(self, x):
            return keras.ops.sin(x)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Dense(name="wave")(inputs))
    with pytest.raises(UnsupportedModelError, match="'wave'"):
        mcuprune.quantize_aware(model, noise(30, 4))
