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
}


def randomised(model: Any, rng: np.random.Generator) -> Any:
    """Give every weight, batch-norm statistics included, a value that shows mistakes."""
    for weight in model.weights:
        values = rng.normal(size=weight.shape) * 0.3
        is_variance = weight.path.endswith("moving_variance")
        weight.assign(np.abs(values) + 0.5 if is_variance else values)
    return model


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
    inputs = rng.normal(size=(4, *model.input_shape[1:])).astype("float32")

    gates = Gates(model, groups, groups.prunable)
    gates.attach()
    open_gates = {n: np.isin(np.arange(groups.groups[n].width), k) for n, k in keep.items()}
    gates.assign({name: mask.astype(float) for name, mask in open_gates.items()})
    masked = model(inputs).numpy()
    gates.detach()

    small = narrowed(model, keep)
    assert {n: g.width for n, g in coupling_groups(small).groups.items() if n in keep} == {
        n: len(k) for n, k in keep.items()
    }
    span = max(1.0, float(np.ptp(masked)))
    np.testing.assert_allclose(small(inputs).numpy(), masked, atol=1e-5 * span, rtol=0)


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


@pytest.mark.parametrize("name", ["resnet8", "sequential"])
def test_a_cut_model_is_plain_saves_and_reloads(name: str, tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    model = randomised(MODELS[name](), rng)
    groups = coupling_groups(model)
    cut(groups, random_keep(groups, rng))
    inputs = rng.normal(size=(4, *model.input_shape[1:])).astype("float32")
    model.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(loaded(inputs).numpy(), model(inputs).numpy())
    assert [type(a) for a in model.layers] == [type(b) for b in loaded.layers]
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=120)
    first = next(layer for layer in model.layers if "onv" in type(layer).__name__)
    assert f", {first.filters})" in "\n".join(lines)


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
