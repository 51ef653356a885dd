import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.cost.macs import total_macs
from mcuprune.deployment.convert import convert_int8
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import (
    InfeasibleBudgetError,
    InputError,
    TrainingDivergedError,
    UnsupportedModelError,
)
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.callback import MCUPruning

BUDGET = Budget(sram=3400, flash=14000, macs=60_000)
Arrays = tuple[np.ndarray, np.ndarray]


class Record(keras.callbacks.Callback):
    """Notes the number of weights and the training loss of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.params_per_epoch: list[int] = []

    def on_epoch_end(self, *_: Any) -> None:
        kernels = [w for w in self.model.weights if w.path.endswith("kernel")]
        self.params_per_epoch.append(sum(int(np.prod(w.shape)) for w in kernels))


@pytest.fixture(scope="module")
def pruned(digits: Arrays) -> Any:
    keras.utils.set_random_seed(0)
    from mcuprune.recipes.models import digits_cnn

    model = digits_cnn()
    model.compile(
        keras.optimizers.Adam(3e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    record = Record()
    pruning = MCUPruning(BUDGET, start_epoch=1, end_epoch=6, cuts=2)
    history = model.fit(*digits, epochs=10, batch_size=32, verbose=0, callbacks=[pruning, record])
    return model, history.history, record.params_per_epoch, pruning


def test_the_exported_file_meets_the_budget_as_tflm_and_the_file_system_count(
    pruned: Any, digits: Arrays
) -> None:
    model, *_ = pruned
    file = convert_int8(model, digits[0][:100])
    arena = TFLM().arena(file)
    assert arena.total_bytes <= 3400
    assert len(file) <= 14_000


def test_what_was_predicted_is_what_tflm_uses(pruned: Any, digits: Arrays) -> None:
    model, logs, *_ = pruned
    file = convert_int8(model, digits[0][:100])
    assert TFLM().arena(file).total_bytes == logs["sram"][-1]
    assert len(file) == pytest.approx(logs["flash"][-1], abs=64)


def test_the_budget_is_used_and_not_only_met(pruned: Any) -> None:
    _, logs, *_ = pruned
    # One more channel of the first layer takes 64 B of head and 8 of tail.
    assert logs["sram"][-1] > 3400 - 128


def test_channels_go_during_training_and_not_after_it(pruned: Any) -> None:
    _, _, params, _ = pruned
    full = 9 * (1 * 16 + 16 * 32 + 32 * 64) + 64 * 10
    assert params[0] == full
    assert full > params[3] > params[6]
    assert params[6:] == [params[6]] * 4


def test_training_goes_on_without_a_jump_in_the_loss(pruned: Any) -> None:
    _, logs, *_ = pruned
    assert logs["loss"][-1] < 0.5
    # An untrained network starts at 2.3; no cut throws training back there.
    assert max(logs["loss"][2:]) < logs["loss"][0]
    assert logs["accuracy"][-1] > 0.9


def test_logs_show_each_resource_beside_its_budget(pruned: Any) -> None:
    _, logs, *_ = pruned
    # Known from the layers: 8*8*9*1*16 + 4*4*9*16*32 + 2*2*9*32*64 + 64*10 MACs.
    assert logs["macs"][0] == 157_312
    assert logs["macs"][-1] <= 60_000
    assert logs["macs_budget"] == [60_000] * 10
    assert logs["sram_budget"] == [3400] * 10
    assert logs["flash_budget"] == [14_000] * 10


def test_the_model_is_plain_saves_reloads_and_trains_on(
    pruned: Any, digits: Arrays, tmp_path: Path
) -> None:
    model, *_ = pruned
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert not [w.path for w in model.weights if "gate" in w.path or "price" in w.path]
    model.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    x, y = digits
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    loaded.fit(x, y, epochs=1, verbose=0)


def test_the_callback_can_be_used_again_and_leaves_a_fitting_model_alone(
    pruned: Any, digits: Arrays
) -> None:
    model, _, _, pruning = pruned
    widths = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    model.fit(*digits, epochs=7, batch_size=256, verbose=0, callbacks=[pruning])
    assert [layer.filters for layer in model.layers if hasattr(layer, "filters")] == widths


def test_config_makes_an_equal_callback() -> None:
    one = MCUPruning(
        Budget.for_board("nucleo-l4r5zi"),
        start_epoch=2,
        end_epoch=5,
        exclude=["stem*", keras.layers.Dense],
        min_channels=4,
        max_channels={"conv*": 32, keras.layers.DepthwiseConv2D: 16},
    )
    config = json.loads(json.dumps(one.get_config()))
    assert config["exclude"] == ["stem*", "Dense"]
    assert config["max_channels"] == {"conv*": 32, "DepthwiseConv2D": 16}
    assert config["round_to"] is None
    again = MCUPruning.from_config(config)
    assert again.get_config() == one.get_config()
    assert again.budget.board == "nucleo-l4r5zi"


def test_sequential_models_from_a_generator_of_unknown_length(digits: Arrays) -> None:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(24, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
    x, y = digits
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(64).filter(lambda *_: True)
    model.fit(stream, epochs=5, verbose=0, callbacks=[MCUPruning(Budget(macs=8000), 1, 4)])
    convolution, _, hidden, _ = model.layers
    macs = 36 * 9 * convolution.filters + 36 * convolution.filters * hidden.units
    assert macs + hidden.units * 10 <= 8000
    assert model.input_shape == (None, 8, 8, 1)


def test_early_end_of_training_still_meets_the_budget(
    compiled: Callable[..., Any], digits: Arrays
) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, *_: Any) -> None:
            self.model.stop_training = True

    model = compiled()
    pruning = MCUPruning(Budget(macs=60_000), start_epoch=1, end_epoch=5)
    model.fit(*digits, epochs=6, verbose=0, batch_size=128, callbacks=[pruning, Stop()])
    assert pruning.pruner is not None
    assert pruning.pruner.resources()["macs"] <= 60_000


def test_an_impossible_budget_is_refused_before_training(
    compiled: Callable[..., Any], digits: Arrays
) -> None:
    model = compiled()
    before = [w.numpy() for w in model.weights]
    with pytest.raises(InfeasibleBudgetError, match="cannot be met") as caught:
        model.fit(*digits, epochs=4, verbose=0, callbacks=[MCUPruning(Budget(macs=700))])
    # At width 1: 8*8*9 + 4*4*9 + 2*2*9 + 10 MACs.
    assert caught.value.required == 576 + 144 + 36 + 10
    assert caught.value.available == 700
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


def test_a_model_without_a_prunable_channel_is_refused(digits: Arrays) -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(UnsupportedModelError, match="no prunable channel"):
        model.fit(*digits, epochs=4, verbose=0, callbacks=[MCUPruning(Budget(macs=100))])


def test_a_diverged_training_is_stopped_and_named(
    compiled: Callable[..., Any], digits: Arrays
) -> None:
    model = compiled()
    x, y = digits
    with pytest.raises(TrainingDivergedError, match="epoch 1"):
        model.fit(x * np.nan, y, epochs=4, verbose=0, callbacks=[MCUPruning(BUDGET)])
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert not [w.path for w in model.weights if "gate" in w.path]


def test_an_interrupted_fit_can_be_released_to_a_plain_model(
    compiled: Callable[..., Any], digits: Arrays, tmp_path: Path
) -> None:
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, *_: Any) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    model = compiled()
    pruning = MCUPruning(BUDGET, start_epoch=0, end_epoch=4)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*digits, epochs=5, verbose=0, batch_size=64, callbacks=[pruning, Interrupt()])
    x = digits[0][:32]
    before = model(x).numpy()
    pruning.release()
    np.testing.assert_allclose(model(x).numpy(), before, atol=1e-4)
    model.save(tmp_path / "kept.keras")
    np.testing.assert_allclose(
        keras.models.load_model(tmp_path / "kept.keras")(x).numpy(), before, atol=1e-4
    )


@pytest.mark.parametrize(("start", "end"), [(-1, 4), (4, 4), (5, 3)])
def test_epochs_that_make_no_sense_are_refused(start: int, end: int) -> None:
    with pytest.raises(InputError, match="start_epoch"):
        MCUPruning(BUDGET, start, end)


def test_an_end_beyond_fit_is_refused(compiled: Callable[..., Any], digits: Arrays) -> None:
    with pytest.raises(InputError, match="beyond the 3 epochs"):
        compiled().fit(*digits, epochs=3, verbose=0, callbacks=[MCUPruning(BUDGET, 1, 4)])


def test_one_epoch_leaves_none_to_prune_in(compiled: Callable[..., Any], digits: Arrays) -> None:
    with pytest.raises(InputError, match="start_epoch 1 leaves no epoch to prune in: fit has 1"):
        compiled().fit(*digits, epochs=1, verbose=0, callbacks=[MCUPruning(BUDGET)])


def test_epochs_count_from_where_fit_begins(compiled: Callable[..., Any], digits: Arrays) -> None:
    model, widths = compiled(), {}

    noting = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _: widths.update({epoch: model.count_params()})
    )
    # A third of the six epochs of this fit, not of the ten.
    options = {"initial_epoch": 4, "epochs": 10, "verbose": 0, "batch_size": 64}
    model.fit(*digits, callbacks=[MCUPruning(BUDGET, cuts=1), noting], **options)
    assert list(widths) == [4, 5, 6, 7, 8, 9]
    assert widths[4] > widths[5] == widths[9]


def test_an_end_beyond_a_fit_that_begins_late_is_refused(
    compiled: Callable[..., Any], digits: Arrays
) -> None:
    model = compiled()
    parameters = model.count_params()
    options = {"initial_epoch": 4, "epochs": 10, "verbose": 0}
    with pytest.raises(InputError, match="end_epoch 8 lies beyond the 6 epochs of fit"):
        model.fit(*digits, callbacks=[MCUPruning(BUDGET, 5, 8)], **options)
    assert model.count_params() == parameters


def test_excluded_layers_keep_their_width(compiled: Callable[..., Any], digits: Arrays) -> None:
    model = compiled()
    pruning = MCUPruning(Budget(macs=60_000), 0, 2, exclude=["conv1*"], round_to=8)
    model.fit(*digits, epochs=2, verbose=0, batch_size=64, callbacks=[pruning])
    widths = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    assert widths[0] == 16
    assert [w % 8 for w in widths] == [0, 0, 0]


def test_a_training_broken_off_leaves_no_gates_in_the_next(digits: Arrays) -> None:
    def break_off(batch: int, **_: Any) -> None:
        if batch == 10:
            raise KeyboardInterrupt

    model = small_network()
    broken = MCUPruning(Budget(macs=2_500), start_epoch=0, end_epoch=2)
    stop = keras.callbacks.LambdaCallback(on_train_batch_end=break_off)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*digits, epochs=2, batch_size=64, verbose=0, callbacks=[broken, stop])
    assert [w.path for w in model.weights if "gate" in w.path]
    pruning = MCUPruning(Budget(macs=2_500), start_epoch=0, end_epoch=1, cuts=1)
    model.fit(*digits, epochs=1, batch_size=64, verbose=0, callbacks=[pruning])
    assert not [w.path for w in model.weights if "gate" in w.path]
    assert total_macs(graph_from_keras(model)) <= 2_500


def test_best_weights_are_restored_when_early_stopping_starts_after_the_last_cut(
    digits: Arrays,
) -> None:
    model = small_network()
    pruning = MCUPruning(Budget(macs=2_500), start_epoch=0, end_epoch=1, cuts=1)
    # No epoch improves by 10, so that it stops and restores the first epoch it looked at.
    stopping = keras.callbacks.EarlyStopping(
        monitor="loss", min_delta=10, patience=1, start_from_epoch=1, restore_best_weights=True
    )
    model.fit(*digits, epochs=5, batch_size=256, verbose=0, callbacks=[pruning, stopping])
    assert stopping.stopped_epoch == 2
    assert total_macs(graph_from_keras(model)) <= 2_500


def small_network() -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    return model


def test_the_smallest_reachable_budget_is_met(compiled: Callable[..., Any], digits: Arrays) -> None:
    model = compiled()
    # What the test above finds to be required: every group one channel wide.
    pruning = MCUPruning(Budget(macs=766), 0, 3)
    model.fit(*digits, epochs=3, verbose=0, batch_size=64, callbacks=[pruning])
    assert [layer.filters for layer in model.layers if hasattr(layer, "filters")] == [1, 1, 1]
    assert not [w.path for w in model.weights if "gate" in w.path]


def test_a_budget_that_is_met_already_is_said_aloud(
    digits: Arrays, compiled: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    model, pruning = compiled(), MCUPruning(Budget(macs="1M"), verbose=1)
    model.fit(*digits, epochs=2, batch_size=256, verbose=0, callbacks=[pruning])
    told = capfd.readouterr().out
    assert "the budget is met already, nothing is removed from conv1=16 conv2=32" in told
    assert "cut to" not in told
