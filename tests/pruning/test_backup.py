"""A training that is killed after any epoch goes on to the result of an undisturbed one."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from mcuprune.budget import Budget
from mcuprune.errors import InputError
from mcuprune.pruning.backup import FILE
from mcuprune.pruning.callback import MCUPruning
from mcuprune.recipes.models import digits_cnn

BUDGET = Budget(sram=3_200, flash=12_000)
EPOCHS = 6


class Killed(Exception):
    """Stands for the end of the process."""


class Digits(keras.utils.PyDataset):
    """Batches whose order depends on the epoch alone."""

    def __init__(self) -> None:
        super().__init__()
        data = load_digits()
        self.x = (data.images[:512, ..., None] / 16).astype("float32")
        self.y = data.target[:512]
        self.epoch = 0

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        order = np.random.default_rng(self.epoch).permutation(len(self.x))
        chosen = order[index * 64 : (index + 1) * 64]
        return self.x[chosen], self.y[chosen]


def trained(backup: Path | None, killed_after: int | None = None, **options: Any) -> Any:
    """Train a network, or what is left of its training; return it with the epochs that ran."""
    keras.utils.set_random_seed(1)
    model = digits_cnn()
    model.compile(
        keras.optimizers.Adam(0.005),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data, epochs = Digits(), []

    def begin(epoch: int, _: Any) -> None:
        data.epoch = epoch
        epochs.append(epoch)

    def end(epoch: int, _: Any) -> None:
        if epoch == killed_after:
            raise Killed

    watch = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
    settings = {"budget": BUDGET, "start_epoch": 1, "end_epoch": 4, "cuts": 2, **options}
    pruning = MCUPruning(**settings, backup_dir=backup)
    try:
        model.fit(data, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[pruning, watch])
    except Killed:
        return None, epochs
    return model, epochs


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    return trained(None)[0]


def weights(model: Any) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in model.get_weights()]


# Before the first gate moves, between the cuts, and after the last one.
@pytest.mark.parametrize("epoch", [0, 2, 4])
def test_it_goes_on_to_the_same_widths_and_weights(
    epoch: int, undisturbed: Any, tmp_path: Path
) -> None:
    model, epochs = trained(tmp_path, killed_after=epoch)
    assert model is None
    model, epochs = trained(tmp_path)
    assert epochs == list(range(epoch + 1, EPOCHS))
    expected = weights(undisturbed)
    assert [w.shape for w in weights(model)] == [w.shape for w in expected]
    for one, other in zip(weights(model), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert not (tmp_path / FILE).exists()


def test_the_same_seed_gives_the_same_network(undisturbed: Any) -> None:
    again, _ = trained(None)
    for one, other in zip(weights(again), weights(undisturbed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_backup_of_another_training_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, killed_after=1)
    with pytest.raises(InputError, match="end_epoch was 4, is 5"):
        trained(tmp_path, end_epoch=5)
    assert (tmp_path / FILE).exists()


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(InputError, match="is no backup of a training"):
        trained(tmp_path)


def test_a_half_written_backup_is_never_read(
    tmp_path: Path, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(tmp_path, killed_after=1)
    kept = (tmp_path / FILE).read_bytes()

    def dies(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(Path, "replace", dies)
    assert trained(tmp_path) == (None, [2])
    monkeypatch.undo()
    assert (tmp_path / FILE).read_bytes() == kept
    model, epochs = trained(tmp_path)
    assert epochs == list(range(2, EPOCHS))
    for one, other in zip(weights(model), weights(undisturbed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_another_network_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, killed_after=1)
    model = digits_cnn(widths=(16, 32, 48))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pruning = MCUPruning(BUDGET, start_epoch=1, end_epoch=4, cuts=2, backup_dir=tmp_path)
    with pytest.raises(InputError, match="widths was"):
        model.fit(Digits(), epochs=EPOCHS, verbose=0, callbacks=[pruning])


def test_another_optimizer_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, killed_after=1)
    keras.utils.set_random_seed(1)
    model = digits_cnn()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    pruning = MCUPruning(BUDGET, start_epoch=1, end_epoch=4, cuts=2, backup_dir=tmp_path)
    with pytest.raises(InputError, match="variables of other shapes"):
        model.fit(Digits(), epochs=EPOCHS, verbose=0, callbacks=[pruning])
