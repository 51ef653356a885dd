from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.optimizer import rebuild_optimizer, slice_slots
from mcuprune.channels.surgery import cut
from mcuprune.pruning.gates import Gates
from mcuprune.recipes.models import digits_cnn, dscnn, fc_autoencoder, mobilenet_v1_025, resnet8


def variety() -> keras.Model:
    """Concat with itself, depthwise multiplier, separable, transposed, flatten, dropout."""
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(6, 3, padding="same", activation="sigmoid")(inputs)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    y = layers.SeparableConv2D(5, 3, padding="same", activation="tanh")(x)
    z = layers.Concatenate()([y, x, y])
    z = layers.LeakyReLU()(z)
    z = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(z)
    z = layers.MaxPooling2D(4)(z)
    z = layers.Dropout(0.1)(layers.Flatten()(z))
    z = layers.Dense(7, activation="elu")(z)
    return keras.Model(inputs, layers.Dense(3)(z))


def squeeze_and_excite() -> keras.Model:
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(3, 1, activation="relu")(s)
    s = layers.Conv2D(6, 1, activation="sigmoid")(s)
    x = layers.Multiply()([x, s])
    x = layers.Reshape((16, 4, 6))(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(3),
        ]
    )


def shared_encoder() -> keras.Model:
    conv = layers.Conv2D(6, 3, padding="same", activation="relu")
    inputs = keras.Input((8, 8, 6))
    x = conv(conv(layers.Conv2D(6, 1)(inputs)))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def norms() -> keras.Model:
    """Statistics over channels: by layer, by root mean square, by few and by many groups."""
    inputs = keras.Input((6, 6, 2))
    x = layers.LayerNormalization()(layers.Conv2D(6, 3)(inputs))
    x = layers.Conv2D(8, 1)(layers.PReLU(shared_axes=[1, 2])(x))
    x = layers.RMSNormalization()(x)
    x = layers.GroupNormalization(2)(layers.Conv2D(8, 1)(x))
    x = layers.GroupNormalization(4)(layers.Conv2D(8, 1, activation="gelu")(x))
    x = layers.GroupNormalization(-1)(layers.Conv2D(5, 1)(x))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def grouped() -> keras.Model:
    """Few groups, many groups, as many as channels."""
    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(8, 1, activation="relu")(inputs)
    x = layers.Conv2D(12, 3, groups=2, activation="relu")(x)
    x = layers.Conv2D(12, 3, groups=6, padding="same", activation="relu")(x)
    x = layers.Conv2D(24, 3, groups=12, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


def divided() -> keras.Model:
    """Slices, splits at points and into equal parts, a doubled tensor in a sum."""
    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(9, 1, activation="relu")(inputs)
    y = keras.ops.concatenate([x[..., 5:], x[:, :, :, :3]], axis=-1)
    a, b, c = keras.ops.split(layers.Conv2D(8, 1)(y), [2, 5], axis=-1)
    z = layers.Conv2D(10, 1, activation="relu")(layers.Concatenate()([c, a, b]))
    left, right = keras.ops.split(z, 2, axis=-1)
    z = left * keras.ops.sigmoid(right) + 0.5
    z = layers.Add()([layers.Concatenate()([z, z]), layers.Conv2D(10, 1)(x)])
    return keras.Model(inputs, layers.Dense(3)(keras.ops.mean(z, axis=(1, 2))))


def decoder() -> keras.Model:
    inputs = keras.Input((5,))
    x = layers.Reshape((2, 2, 6))(layers.Dense(24, activation="relu")(inputs))
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 3)(layers.UpSampling2D()(x)))


def siamese() -> keras.Model:
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, activation="relu"),
            keras.Sequential([keras.Input((6, 6, 6)), layers.SeparableConv2D(5, 3)], name="inner"),
            layers.GlobalAveragePooling2D(),
        ],
        name="encoder",
    )
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = layers.Subtract()([encoder(a), encoder(b)])
    return keras.Model([a, b], [layers.Dense(1)(apart), layers.Dense(2)(encoder(b))])


MODELS: dict[str, Callable[[], Any]] = {
    "digits_cnn": digits_cnn,
    "resnet8": lambda: resnet8((16, 16, 3)),
    "dscnn": dscnn,
    "mobilenet": lambda: mobilenet_v1_025((32, 32, 3)),
    "autoencoder": fc_autoencoder,
    "variety": variety,
    "squeeze_and_excite": squeeze_and_excite,
    "sequential": sequential,
    "shared_encoder": shared_encoder,
    "norms": norms,
    "grouped": grouped,
    "divided": divided,
    "decoder": decoder,
    "siamese": siamese,
}


def randomised(model: Any, rng: np.random.Generator) -> Any:
    """Give every weight, batch-norm statistics included, a value that shows mistakes."""
    for weight in model.weights:
        values = rng.normal(size=weight.shape) * 0.3
        is_variance = weight.path.endswith("moving_variance")
        weight.assign(np.abs(values) + 0.5 if is_variance else values)
    return model


def examples(model: Any, rng: np.random.Generator) -> list[Any]:
    """Return four random examples for each input of a model."""
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    return [rng.normal(size=(4, *shape)).astype("float32") for shape in shapes]


def outputs(model: Any, inputs: list[Any]) -> list[np.ndarray]:
    """Return all outputs of a model."""
    return [
        np.array(out) for out in keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0]))
    ]


def narrowed(model: Any, keep: dict[str, Any]) -> Any:
    """Return a cut copy."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    cut(coupling_groups(copy), keep)
    return copy


def random_keep(groups: Any, rng: np.random.Generator, widest: bool = False) -> dict[str, Any]:
    keep = {}
    for group in groups.prunable:
        count = group.width if widest else int(rng.integers(1, group.width + 1))
        keep[group.name] = np.sort(rng.permutation(group.width)[:count])
    return keep


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [0, 1])
def test_masked_and_cut_models_agree(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = randomised(MODELS[name](), rng)
    groups = coupling_groups(model)
    keep = random_keep(groups, rng)
    inputs = examples(model, rng)

    gates = Gates(model, groups, groups.prunable)
    gates.attach()
    open_gates = {n: np.isin(np.arange(groups.groups[n].width), k) for n, k in keep.items()}
    gates.assign({name: mask.astype(float) for name, mask in open_gates.items()})
    masked = outputs(model, inputs)
    gates.detach()

    small = narrowed(model, keep)
    for ours, theirs in zip(outputs(small, inputs), masked, strict=True):
        span = max(1.0, float(np.ptp(theirs)))
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * span, rtol=0)


def test_keeping_everything_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    model = randomised(digits_cnn(), rng)
    groups = coupling_groups(model)
    inputs = rng.normal(size=(4, 8, 8, 1)).astype("float32")
    before = model(inputs).numpy()
    cut(groups, random_keep(groups, rng, widest=True))
    np.testing.assert_array_equal(model(inputs).numpy(), before)


def test_layers_variables_and_the_model_stay_the_same_objects() -> None:
    model = digits_cnn()
    layers_before, variables_before = list(model.layers), list(model.variables)
    rng = np.random.default_rng(0)
    groups = coupling_groups(model)
    after = cut(groups, random_keep(groups, rng)).groups
    assert all(a is b for a, b in zip(model.layers, layers_before, strict=True))
    assert all(a is b for a, b in zip(model.variables, variables_before, strict=True))
    found = coupling_groups(model)
    assert found.groups == after.groups
    assert found.dims() == after.dims()


def test_a_frozen_group_is_refused() -> None:
    model = digits_cnn()
    groups = coupling_groups(model)
    (frozen,) = [g for g in groups.groups.values() if g.frozen]
    with pytest.raises(ValueError, match="output of the model"):
        cut(groups, {frozen.name: np.array([0])})


def test_an_emptied_group_is_refused() -> None:
    model = digits_cnn()
    with pytest.raises(ValueError, match="keep at least one"):
        narrowed(model, {"conv1": np.array([], dtype=int)})


@pytest.mark.parametrize("name", MODELS)
def test_a_cut_model_is_plain_saves_and_reloads(name: str, tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    model = randomised(MODELS[name](), rng)
    groups = coupling_groups(model)
    cut(groups, random_keep(groups, rng))
    inputs = examples(model, rng)
    model.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    for ours, theirs in zip(outputs(model, inputs), outputs(loaded, inputs), strict=True):
        np.testing.assert_array_equal(theirs, ours)
    assert [type(a) for a in model.layers] == [type(b) for b in loaded.layers]
    assert [w.shape for w in model.weights] == [w.shape for w in loaded.weights]
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=120)
    assert f"{model.count_params():,}" in "\n".join(lines)
    shapes = {layer.name: layer.output.shape for layer in loaded.layers if count_calls(layer) == 1}
    here = {layer.name: layer.output.shape for layer in model.layers if layer.name in shapes}
    assert here == shapes


def count_calls(layer: Any) -> int:
    return len(layer._inbound_nodes)


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adam_schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 9)),
    "adamw": lambda: keras.optimizers.AdamW(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "lion": lambda: keras.optimizers.Lion(0.001),
    "mixed_float16": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_goes_on_as_if_the_channels_had_never_been(name: str) -> None:
    """Dead channels take no part in the first step, so both paths are the same."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(16, 4)).astype("float32")
    targets = rng.normal(size=(16, 2)).astype("float32")

    def network() -> Any:
        net = keras.Sequential([keras.Input((4,)), layers.Dense(6), layers.Dense(2)])
        first, second = net.layers
        first.set_weights([np.arange(24.0).reshape(4, 6) / 24, np.zeros(6)])
        dead_rows = np.arange(12.0).reshape(6, 2) / 12
        dead_rows[[1, 4]] = 0.0
        second.set_weights([dead_rows, np.zeros(2)])
        net.compile(OPTIMIZERS[name](), "mse")
        return net

    model = network()
    groups = coupling_groups(model)
    (group,) = groups.prunable
    keep = {group.name: np.array([0, 2, 3, 5])}
    small = narrowed(model, keep)
    small.compile(OPTIMIZERS[name](), "mse")

    model.train_on_batch(inputs, targets)
    small.train_on_batch(inputs, targets)
    # The step gave the dead channels weights; cut off, they must not matter again.
    done = cut(groups, keep)
    slice_slots(model.optimizer, model.trainable_variables, done.slice_like)
    model.make_train_function(force=True)
    for _ in range(3):
        model.train_on_batch(inputs, targets)
        small.train_on_batch(inputs, targets)
    assert int(model.optimizer.iterations.numpy()) == 4
    for ours, theirs in zip(model.weights, small.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


def test_slots_that_refer_to_no_weight_start_fresh() -> None:
    """Adafactor sizes its row and column averages by a weight without naming it."""
    model = sequential()
    model.compile(keras.optimizers.Adafactor(), "mse")
    inputs, targets = np.ones((2, 8, 8, 1), "float32"), np.ones((2, 3), "float32")
    model.train_on_batch(inputs, targets)
    groups = coupling_groups(model)
    done = cut(groups, {groups.prunable[0].name: np.array([0, 2])})
    slice_slots(model.optimizer, model.trainable_variables, done.slice_like)
    model.make_train_function(force=True)
    model.train_on_batch(inputs, targets)
    assert int(model.optimizer.iterations.numpy()) == 2


def test_an_optimizer_whose_build_was_broken_off_starts_fresh() -> None:
    model = sequential()
    model.compile("adam", "mse")
    variables = model.trainable_variables
    model.optimizer.build(variables)
    for slot in model.optimizer.variables[5:]:
        model.optimizer._tracker.untrack(slot)
    rebuild_optimizer(model.optimizer, variables, variables)
    model.train_on_batch(np.ones((2, 8, 8, 1), "float32"), np.ones((2, 3), "float32"))
    assert len(model.optimizer.variables) == 2 + 2 * len(variables)
