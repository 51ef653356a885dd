"""What a recipe may say about a sweep, and the seed of a reference that trials share."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.fingerprints import pruned_fingerprint, reference_fingerprint
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.stages import train_reference

ONE_EPOCH = ("reference.epochs=1", "training.epochs=3", "pruning.end_epoch=2")


def swept(*overrides):
    return load_recipe("digits", [f"sweep.{each}" for each in overrides]).sweep


def test_limits_are_read_with_their_units():
    sweep = swept("sram=[4KiB, 6 KB]", "flash=9000", "macs=[20k, 1M]")
    assert sweep is not None
    assert (sweep.sram, sweep.flash, sweep.macs) == ([4096, 6000], [9000], [20_000, 1_000_000])
    assert sweep.latency == []


def test_a_recipe_without_a_sweep_has_none():
    assert load_recipe("digits").sweep is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sram=[4KiB, 6KiBs]"], r"sweep\.sram: .*unknown unit 'KiBs'"),
        (["boards=[nucleo-l4r5z]"], r"did you mean 'nucleo-l4r5zi'"),
        (["seeds=0"], r"sweep\.seeds"),
        (["search=optuna"], "needs the number of trials"),
        (["trials=4"], "takes no number of trials"),
        (["vary={training.seed: [1]}"], "use seeds"),
        (["vary={budget.sram: [1]}"], "budgets, boards and seeds have axes of their own"),
        (["vary={training.batch_size: []}"], "has no values"),
        (["board=[nucleo-l4r5zi]"], r"did you mean 'sweep\.boards'"),
    ],
)
def test_mistakes_are_named(overrides, message):
    with pytest.raises(InputError, match=message):
        swept(*overrides)


def test_references_of_one_seed_are_the_same_whatever_the_networks_seeds():
    data = load("digits", None, {})
    alone, shared, other = (
        load_recipe("digits", overrides)
        for overrides in (
            ["training.seed=3"],
            ["training.seed=4", "reference.seed=3"],
            ["training.seed=4"],
        )
    )
    assert reference_fingerprint(alone, data) == reference_fingerprint(shared, data)
    assert reference_fingerprint(other, data) != reference_fingerprint(shared, data)
    assert pruned_fingerprint(alone, data) != pruned_fingerprint(shared, data)


def test_the_reference_trains_with_its_own_seed_and_is_watched(tmp_path):
    data = load("digits", None, {})
    alone = load_recipe("digits", [*ONE_EPOCH, "training.seed=3"])
    shared = load_recipe("digits", [*ONE_EPOCH, "training.seed=4", "reference.seed=3"])
    seen = []

    def watch(title, epoch, logs, model):
        kept = (tmp_path / "b" / "reference" / "history.csv").read_text().splitlines()
        seen.append((title, epoch, "val_accuracy" in logs, isinstance(model, keras.Model)))
        assert len(kept) == 1 + 1

    ours = train_reference(alone, data, tmp_path / "a").model.get_weights()
    theirs = train_reference(shared, data, tmp_path / "b", watch).model.get_weights()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert seen == [("reference", 0, True, True)]
