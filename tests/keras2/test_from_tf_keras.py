"""Keras 2 models come out of from_tf_keras as plain Keras 3 models with equal outputs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import mcuprune
from mcuprune.errors import UnsupportedModelError

tf_keras = pytest.importorskip("tf_keras", reason="needs the extra tf-keras")
layers = tf_keras.layers


@pytest.fixture(autouse=True)
def seeded():
    tf_keras.utils.set_random_seed(0)


def trained_like(model):
    """Give biases and statistics, which start at 0 or 1, values that matter."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype.is_floating and len(weight.shape) == 1:
            weight.assign(weight + random.uniform(0.1, 0.5, weight.shape))
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with constants made from its weights
    return model


def assert_same(old, new, *inputs):
    """Hold both models and a reloaded one against each other, on input of the test's own."""
    feed = list(inputs) if len(inputs) > 1 else inputs[0]
    expected = keras.tree.flatten(old(feed, training=False))
    found = keras.tree.flatten(new(feed, training=False))
    for a, b in zip(expected, found, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def images(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal((3, *shape)).astype("float32")


def small_cnn():
    x = inputs = layers.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = shortcut = layers.ReLU(6.0, name="act")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.LeakyReLU(0.1, name="leaky")(x)
    x = layers.Add(name="add")([x, shortcut])
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Dense(4, activation="softmax", kernel_regularizer="l2", name="logits")(x)
    return trained_like(tf_keras.Model(inputs, outputs, name="small"))


def test_functional_model_keeps_names_weights_and_outputs(tmp_path):
    old = small_cnn()
    new = mcuprune.from_tf_keras(old)
    assert type(new) is keras.src.models.Functional
    assert [layer.name for layer in new.layers] == [layer.name for layer in old.layers]
    for layer in old.layers:
        for a, b in zip(layer.get_weights(), new.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert_same(old, new, images(8, 8, 3))
    new.save(tmp_path / "new.keras")
    assert_same(old, keras.models.load_model(tmp_path / "new.keras"), images(8, 8, 3))


def test_options_come_along():
    new = mcuprune.from_tf_keras(small_cnn())
    assert new.name == "small"
    assert new.get_layer("leaky").negative_slope == pytest.approx(0.1)
    assert new.get_layer("norm").momentum == 0.99
    assert isinstance(new.get_layer("logits").kernel_regularizer, keras.regularizers.L2)


def test_frozen_layers_stay_frozen():
    old = small_cnn()
    old.get_layer("stem").trainable = False
    old.get_layer("norm").trainable = False
    new = mcuprune.from_tf_keras(old)
    assert [layer.name for layer in new.layers if not layer.trainable] == ["stem", "norm"]
    assert len(new.trainable_weights) == len(old.trainable_weights) == 4


def test_pruning_takes_the_result():
    inputs = tf_keras.Input((8, 8, 1))
    hidden = layers.Conv2D(8, 3, activation="relu")(inputs)
    old = tf_keras.Model(inputs, layers.Dense(10)(layers.Flatten()(hidden)))
    new = mcuprune.from_tf_keras(old)
    new.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pruning = mcuprune.MCUPruning(mcuprune.Budget(flash="6KiB"), start_epoch=0, end_epoch=1)
    new.fit(images(8, 8, 1), np.arange(3), epochs=1, verbose=0, callbacks=[pruning])
    assert mcuprune.estimate(new).flash_bytes <= 6 * 1024


def test_sequential_model():
    old = tf_keras.Sequential(
        [
            layers.Conv2D(4, 3, input_shape=(8, 8, 3)),
            layers.SeparableConv2D(5, 3),
            layers.ThresholdedReLU(0.3),
            layers.Conv2DTranspose(3, 2, strides=2),
            layers.PReLU(shared_axes=[1, 2]),
            layers.Flatten(),
            layers.Dense(2),
        ],
        name="chain",
    )
    new = mcuprune.from_tf_keras(trained_like(old))
    assert isinstance(new, keras.Sequential)
    assert [layer.name for layer in new.layers] == [layer.name for layer in old.layers]
    assert_same(old, new, images(8, 8, 3))


def test_nested_and_shared_layers_several_inputs_and_outputs():
    inner = tf_keras.Sequential(
        [tf_keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()], name="inner"
    )
    tensor = layers.Input((8, 8, 3))
    encoder = tf_keras.Model(
        tensor, layers.Dense(3)(layers.Flatten()(inner(tensor))), name="encoder"
    )
    left, right = layers.Input((8, 8, 3), name="left"), layers.Input((8, 8, 3), name="right")
    a, b = encoder(left), encoder(right)
    distance = layers.Subtract(name="distance")([a, b])
    old = trained_like(tf_keras.Model([left, right], {"distance": distance, "left": a}))
    new = mcuprune.from_tf_keras(old)
    assert new.count_params() == old.count_params()
    assert isinstance(new.get_layer("encoder").get_layer("inner"), keras.Sequential)
    assert_same(old, new, images(8, 8, 3), images(8, 8, 3, seed=2))
    assert set(new.output) == {"distance", "left"}


def test_tensorflow_functions_become_operations(tmp_path):
    x = inputs = layers.Input((8, 8, 4))
    x = tf.nn.relu6(x + 3.0) * (1 / 6)
    x = tf.concat([2.0 - x, inputs], axis=-1)
    x = tf.pad(x[:, 1:, ::2, :6], [[0, 0], [1, 1], [0, 0], [0, 0]])
    a, b = tf.split(tf.transpose(x, [0, 2, 1, 3]), [2, 4], axis=-1)
    x = tf.reshape(b, (tf.shape(b)[0], -1))
    mean = tf.reduce_mean(tf.abs(x), axis=1, keepdims=True)
    x = tf.nn.gelu(x / (mean + 1.0)) + tf.nn.leaky_relu(x, alpha=0.3)
    y = tf.image.resize(tf.clip_by_value(a, -1.0, 1.0), (3, 3), method="nearest")
    old = tf_keras.Model(inputs, [x, -y, tf.nn.softmax(tf.squeeze(mean, 1)[:, None] * [1.0, 2.0])])
    new = mcuprune.from_tf_keras(old)
    assert_same(old, new, images(8, 8, 4))
    new.save(tmp_path / "new.keras")
    assert_same(old, keras.models.load_model(tmp_path / "new.keras"), images(8, 8, 4))


def test_operations_are_named_like_their_layers():
    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.Add(name="add")([inputs + 1.0, inputs + 2.0]))
    names = [operation.name for operation in mcuprune.from_tf_keras(old).operations]
    assert len(names) == 4
    assert sorted(names) == sorted(layer.name for layer in old.layers)


def test_recurrent_and_wrapped_layers():
    inputs = layers.Input((6, 5))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")(inputs)
    x = layers.TimeDistributed(layers.Dense(3, name="each"), name="steps")(x)
    x = layers.GRU(4, return_sequences=True)(x)
    x = layers.RNN(layers.SimpleRNNCell(4), return_sequences=True)(x)
    x = layers.MultiHeadAttention(2, 3)(x, x)
    outputs = layers.LayerNormalization()(x)
    old = trained_like(tf_keras.Model(inputs, outputs))
    assert_same(old, mcuprune.from_tf_keras(old), images(6, 5))


def test_model_inside_time_distributed():
    tensor = layers.Input((4, 4, 2))
    frame = layers.BatchNormalization()(layers.Conv2D(3, 3)(tensor))
    frames = tf_keras.Model(tensor, layers.Flatten()(layers.BatchNormalization()(frame)))
    inputs = layers.Input((5, 4, 4, 2))
    old = trained_like(tf_keras.Model(inputs, layers.TimeDistributed(frames)(inputs)))
    assert_same(old, mcuprune.from_tf_keras(old), images(5, 4, 4, 2))


def test_preprocessing_embedding_and_random_layers():
    words, picture = layers.Input((7,), dtype="int32"), layers.Input((8, 8, 3))
    normalization = layers.Normalization()
    normalization.adapt(images(8, 8, 3) * 3 + 1)
    x = layers.RandomFlip()(layers.Rescaling(1 / 127, offset=-1)(picture))
    x = layers.GaussianNoise(0.1)(layers.Dropout(0.2)(normalization(x)))
    y = layers.Embedding(9, 3, input_length=7)(words)
    old = tf_keras.Model([words, picture], [layers.Flatten()(x), layers.Flatten()(y)])
    indices = np.arange(21).reshape(3, 7) % 9
    assert_same(old, mcuprune.from_tf_keras(old), indices, images(8, 8, 3))


def test_lambda_layers_keep_their_function():
    inputs = layers.Input((4,))
    scaled = layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0}, name="scale")(inputs)
    old = tf_keras.Model(inputs, layers.Lambda(lambda x: tf_keras.backend.mean(x, -1))(scaled))
    assert_same(old, mcuprune.from_tf_keras(old), images(4))


class OldScale(layers.Layer):
    def __init__(self, start=1.0, **options):
        super().__init__(**options)
        self.start = start

    def build(self, shape):
        self.scale = self.add_weight(
            name="scale", shape=shape[-1:], initializer=tf_keras.initializers.Constant(self.start)
        )

    def call(self, x):
        return x * self.scale

    def get_config(self):
        return {**super().get_config(), "start": self.start}


class NewScale(keras.layers.Layer):
    def __init__(self, start=1.0, power=1, **options):
        super().__init__(**options)
        self.start, self.power = start, power

    def build(self, shape):
        start = keras.initializers.Constant(self.start)
        self.scale = self.add_weight(name="scale", shape=shape[-1:], initializer=start)

    def call(self, x):
        return x * self.scale**self.power


def scaled():
    inputs = layers.Input((4,))
    return tf_keras.Model(inputs, layers.Dense(2)(OldScale(2.0, name="own")(inputs)))


def test_custom_layer_with_its_counterpart():
    old = scaled()
    new = mcuprune.from_tf_keras(old, custom_objects={"OldScale": NewScale})
    assert type(new.get_layer("own")) is NewScale
    assert_same(old, new, images(4))


def test_custom_layer_without_counterpart():
    with pytest.raises(UnsupportedModelError, match=r"'own'.*custom_objects=\{'OldScale': You"):
        mcuprune.from_tf_keras(scaled())


def test_custom_activation():
    def tripled(x):
        return 3 * x

    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.Dense(2, activation=tripled)(inputs))
    assert_same(old, mcuprune.from_tf_keras(old, {"tripled": tripled}), images(4))
    with pytest.raises(UnsupportedModelError, match="custom_objects"):
        mcuprune.from_tf_keras(old)


class Squared(NewScale):
    def __init__(self, **options):
        super().__init__(power=2, **options)


def test_difference_names_the_first_layer():
    with pytest.raises(
        UnsupportedModelError, match=r"layer 'own' \(OldScale\) computes something else"
    ):
        mcuprune.from_tf_keras(scaled(), custom_objects={"OldScale": Squared})


def test_difference_inside_a_nested_model():
    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.ReLU()(scaled()(layers.Dense(4)(inputs))))
    with pytest.raises(UnsupportedModelError, match=r"layer 'own' .* computes something else"):
        mcuprune.from_tf_keras(old, custom_objects={"OldScale": Squared})


def test_keras_3_computes_another_hard_sigmoid():
    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.Activation("hard_sigmoid", name="gate")(inputs))
    with pytest.raises(UnsupportedModelError, match=r"layer 'gate' .* computes something else"):
        mcuprune.from_tf_keras(old)


def test_difference_behind_a_saturated_softmax():
    inputs = layers.Input((4,))
    saturated = layers.Softmax()(1e4 * OldScale(2.0, name="own")(inputs))
    with pytest.raises(UnsupportedModelError, match=r"layer 'own' .* computes something else"):
        mcuprune.from_tf_keras(tf_keras.Model(inputs, saturated), {"OldScale": Squared})


def test_nothing_finite_to_compare():
    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.Dense(2)(inputs))
    old.set_weights([np.full((4, 2), np.nan), np.zeros(2)])
    with pytest.raises(UnsupportedModelError, match=r"no finite number.*check its weights for NaN"):
        mcuprune.from_tf_keras(old)


def test_models_that_want_positive_input():
    inputs = layers.Input((4,))
    old = tf_keras.Model(inputs, layers.Dense(2)(tf.math.log(inputs + 0.1)))
    assert_same(old, mcuprune.from_tf_keras(old), np.ones((3, 4), "float32"))


def test_weights_of_other_shapes():
    class Fewer(keras.layers.Layer):
        def __init__(self, start, **options):
            super().__init__(**options)
            self.start = start

        def call(self, x):
            return x

    with pytest.raises(
        UnsupportedModelError, match=r"'own' \(OldScale\) has weights .*\(4,\).*\[\]"
    ):
        mcuprune.from_tf_keras(scaled(), custom_objects={"OldScale": Fewer})


def test_mixed_precision():
    policy = tf_keras.mixed_precision.Policy("mixed_float16")
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, dtype=policy)(inputs)
    outputs = layers.Dense(2, dtype="float32")(layers.Flatten(dtype=policy)(x))
    old = tf_keras.Model(inputs, outputs)
    new = mcuprune.from_tf_keras(old)
    assert [layer.dtype_policy.name for layer in new.layers[1:]] == [
        "mixed_float16",
        "mixed_float16",
        "float32",
    ]


def test_open_sizes():
    inputs = layers.Input((None, None, 3))
    old = tf_keras.Model(inputs, layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3)(inputs)))
    new = mcuprune.from_tf_keras(old)
    assert new.input_shape == (None, None, None, 3)
    assert_same(old, new, images(11, 9, 3))


def test_option_that_keras_3_lacks():
    inputs = layers.Input((6, 4))
    old = tf_keras.Model(inputs, layers.LSTM(3, time_major=True, name="turned")(inputs))
    with pytest.raises(UnsupportedModelError, match=r"'turned' \(LSTM\) has time_major=True"):
        mcuprune.from_tf_keras(old)


def test_layer_that_keras_3_lacks():
    inputs = layers.Input((6, 4))
    old = tf_keras.Model(inputs, layers.LocallyConnected1D(3, 2, name="local")(inputs))
    with pytest.raises(UnsupportedModelError, match="'local' is a LocallyConnected1D"):
        mcuprune.from_tf_keras(old)


def test_function_without_counterpart():
    inputs = layers.Input((8, 8, 3))
    old = tf_keras.Model(inputs, tf.nn.space_to_depth(inputs, 2))
    with pytest.raises(UnsupportedModelError, match=r"calls tf\.\S*space_to_depth.*Lambda layer"):
        mcuprune.from_tf_keras(old)


def test_option_of_a_function_without_counterpart():
    inputs = layers.Input((8, 8, 3))
    old = tf_keras.Model(inputs, tf.linalg.matmul(inputs, inputs, transpose_b=True))
    with pytest.raises(UnsupportedModelError, match=r"matmul with transpose_b=True"):
        mcuprune.from_tf_keras(old)


def test_subclassed_models_are_refused():
    class Own(tf_keras.Model):
        pass

    with pytest.raises(UnsupportedModelError, match="subclassed model"):
        mcuprune.from_tf_keras(Own())


def test_unbuilt_sequential_is_refused():
    with pytest.raises(UnsupportedModelError, match=r"not built.*model\.build"):
        mcuprune.from_tf_keras(tf_keras.Sequential([layers.Dense(2)]))


def test_other_things_are_refused():
    new = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="new")
    with pytest.raises(UnsupportedModelError, match="'new' is a Keras 3 model already"):
        mcuprune.from_tf_keras(new)
    with pytest.raises(UnsupportedModelError, match="expected a model of tf_keras, found str"):
        mcuprune.from_tf_keras("model.h5")


def test_pruning_a_keras_2_model_says_how_to_convert_it():
    with pytest.raises(UnsupportedModelError, match=r"mcuprune\.from_tf_keras\(model\)$"):
        mcuprune.estimate(small_cnn())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "MobileNet",
        "MobileNetV2",
        "MobileNetV3Small",
        "EfficientNetB0",
        "ResNet50",
        "DenseNet121",
        "ConvNeXtTiny",
    ],
)
def test_applications(name, tmp_path):
    make = getattr(tf_keras.applications, name)
    old = trained_like(make(weights=None, input_shape=(32, 32, 3), classes=10))
    new = mcuprune.from_tf_keras(old)
    assert new.count_params() == old.count_params()
    assert_same(old, new, images(32, 32, 3))
    new.save(tmp_path / "new.keras")
    assert_same(old, keras.models.load_model(tmp_path / "new.keras"), images(32, 32, 3))


def test_mobilenet_v3():
    make = tf_keras.applications.MobileNetV3Small
    old = make(weights=None, input_shape=(32, 32, 3), classes=4, alpha=0.35, minimalistic=True)
    new = mcuprune.from_tf_keras(old)
    assert "expanded_conv_project" in [layer.name for layer in new.layers]
    assert_same(old, new, images(32, 32, 3))
