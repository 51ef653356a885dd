"""The order of training inputs: by seed and epoch, and nothing else."""

from __future__ import annotations

import keras
import numpy as np

from mcuprune.recipes.batches import ShuffledBatches


def order_of(batches, epoch):
    """Return the inputs, each its own number, in the order of an epoch."""
    batches.begin(epoch)
    return np.concatenate([batches[i][0] for i in range(len(batches))])


def made(seed=0):
    numbers = np.arange(10.0)
    return ShuffledBatches(numbers, 2 * numbers, batch_size=4, seed=seed)


def test_an_epoch_has_every_input_once_and_a_short_batch_at_its_end():
    batches = made()
    assert [len(batches[i][0]) for i in range(len(batches))] == [4, 4, 2]
    assert sorted(order_of(batches, 3)) == list(range(10))
    inputs, targets = batches[1]
    np.testing.assert_array_equal(targets, 2 * inputs)


def test_the_order_depends_on_seed_and_epoch_alone():
    first, second = made(), made()
    order_of(first, 0)
    np.testing.assert_array_equal(order_of(first, 5), order_of(second, 5))
    assert not np.array_equal(order_of(first, 5), order_of(first, 6))
    assert not np.array_equal(order_of(first, 5), order_of(made(seed=1), 5))


def test_fit_sees_that_order_from_whichever_epoch_it_begins():
    batches, seen = made(), []

    def loss(_, predicted):
        seen.append(np.array(predicted).ravel())
        return keras.ops.mean(predicted)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
    model.compile("sgd", loss, run_eagerly=True)
    numbers = np.arange(10.0, dtype="float32")[:, None]
    rows = ShuffledBatches(numbers, numbers, batch_size=4, seed=0)
    model.fit(
        rows, initial_epoch=2, epochs=4, shuffle=False, verbose=0, callbacks=[rows.callback()]
    )
    expected = np.concatenate([order_of(batches, 2), order_of(batches, 3)])
    np.testing.assert_array_equal(np.concatenate(seen), expected)
