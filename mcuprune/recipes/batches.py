"""Training batches in an order that depends on nothing but seed and epoch."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from mcuprune.recipes.datasets.dataset import Floats


class ShuffledBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """A training set, shuffled anew for each epoch.

    The order of an epoch is the same in every run, also in one that begins with that epoch, as a
    training does that goes on after it was killed. Give ``fit`` ``shuffle=False`` and
    :meth:`callback`.

    Args:
        inputs: Float32 ``(n, ...)``.
        targets: ``(n, ...)``.
        batch_size: Inputs per step; the last batch of an epoch may have fewer.
        seed: Another seed gives other orders.
    """

    def __init__(self, inputs: Floats, targets: Floats, batch_size: int, seed: int) -> None:
        super().__init__()
        self._inputs, self._targets = inputs, targets
        self._batch_size, self._seed = batch_size, seed
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Shuffle for an epoch, counted from 0."""
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._inputs))

    def callback(self) -> Any:
        """Return a ``keras.callbacks.Callback`` that calls :meth:`begin`."""
        return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: self.begin(epoch))

    def __len__(self) -> int:
        return math.ceil(len(self._inputs) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, Floats]:
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._inputs[chosen], self._targets[chosen]
