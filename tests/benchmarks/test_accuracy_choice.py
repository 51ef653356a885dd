"""Which channels the accuracy benchmark's pruning baselines keep."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from accuracy import scores
from accuracy.choice import best_of_all, best_of_each, fewest_removed, removable

from mcuprune.channels.analysis import coupling_groups
from mcuprune.recipes.datasets.dataset import Dataset


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(3, name="a"),
            layers.Dense(2, name="b"),
            layers.Dense(2, name="classes"),
        ]
    )


@pytest.fixture
def groups(model):
    return coupling_groups(model)


# Channels 0 to 2 are those of "a", 3 and 4 of "b", 5 and 6 are the outputs.
SCORES = np.array([0.3, 0.1, 0.2, 0.05, 0.04, 0.0, 0.0])


def as_lists(keep):
    return {name: indices.tolist() for name, indices in keep.items()}


def test_the_best_of_each_group_stay(groups):
    kept = best_of_each(groups, SCORES, {"a": 2, "b": 1})
    assert as_lists(kept) == {"a": [0, 2], "b": [0]}


def test_the_best_of_each_group_cannot_go_and_outputs_neither(groups):
    assert removable(groups, SCORES).tolist() == [4, 1, 2]


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        (0, {"a": [0, 1, 2], "b": [0, 1]}),
        (1, {"a": [0, 1, 2], "b": [0]}),
        (2, {"a": [0, 2], "b": [0]}),
        (3, {"a": [0], "b": [0]}),
    ],
)
def test_the_worst_of_all_groups_go_first(groups, removed, expected):
    assert as_lists(best_of_all(groups, SCORES, removed)) == expected


@pytest.mark.parametrize("needed", [0, 1, 7, 20])
def test_no_more_channels_go_than_must(needed):
    assert fewest_removed(20, lambda removed: removed >= needed) == needed


def test_what_never_fits_is_an_error():
    with pytest.raises(ValueError, match="without 20 channels"):
        fewest_removed(20, lambda _: False)


def test_magnitude_is_the_norm_of_all_that_belongs_to_a_channel(model, groups):
    a, b = model.get_layer("a"), model.get_layer("b")
    a.kernel.assign([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    b.kernel.assign([[4.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    found = scores.magnitude(groups)[groups.slices["a"]]
    assert found == pytest.approx([5.0, np.sqrt(2.0), 0.0])


def test_relative_scores_have_mean_one_in_each_group(groups):
    relative = scores.relative_to_group(groups, SCORES)
    assert relative[groups.slices["a"]] == pytest.approx([1.5, 0.5, 1.0])
    assert relative[groups.slices["b"]] == pytest.approx([10 / 9, 8 / 9])


def test_taylor_is_the_change_of_the_loss_to_first_order(model, groups):
    model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    x, y = rng.random((4, 2), np.float32), np.array([0, 1, 1, 0])
    data = Dataset(x, y, x, y, x, y, classes=2, input_shape=(2,))
    found = scores.taylor(model, groups, data, batch_size=4)
    step = 1e-2
    for channel in range(3):
        higher, lower = (_loss_at_gate(model, x, y, channel, 1 + d) for d in (step, -step))
        slope = (higher - lower) / (2 * step)
        assert found[channel] == pytest.approx(abs(slope), rel=1e-2, abs=1e-5)


def _loss_at_gate(model, x, y, channel, gate):
    """Compute the loss with a channel of the first layer scaled, in numpy."""
    a, b, classes = (model.get_layer(name) for name in ("a", "b", "classes"))
    hidden = np.asarray(x @ a.kernel.numpy() + a.bias.numpy(), np.float64)
    hidden[:, channel] *= gate
    logits = (hidden @ b.kernel.numpy() + b.bias.numpy()) @ classes.kernel.numpy()
    logits = logits + classes.bias.numpy()
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[range(len(y)), y]))
