"""How much each channel matters, by the baselines' measures.

Scores are float64 ``(channels,)``, numbered as :class:`mcuprune.channels.groups.Groups` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.channels.effect import WeightAxis
from mcuprune.channels.groups import Groups
from mcuprune.channels.layout import FIXED
from mcuprune.channels.variables import variable_of
from mcuprune.recipes.datasets.dataset import Dataset

Scores = npt.NDArray[np.float64]
TAYLOR_BATCHES = 50


def magnitude(groups: Groups) -> Scores:
    """Return the L2 norm of all trainable weights that belong to a channel, over all its layers.

    (Fang et al., "DepGraph: Towards Any Structural Pruning", CVPR 2023, section 3.3.)
    """
    squares = np.zeros(len(groups.names))
    for layer, axes in _axes(groups, gates=False):
        for axis in axes:
            variable = variable_of(layer, axis.weight)
            if variable.trainable:
                _add(squares, axis, variable.numpy() ** 2)
    return np.sqrt(squares)


def taylor(model: Any, groups: Groups, data: Dataset, batch_size: int) -> Scores:
    """Return the first-order change of the loss when a channel goes, root mean square of batches.

    The change is the sum of weight times gradient over the weights that read the channel (Molchanov
    et al., "Importance Estimation for Neural Network Pruning", CVPR 2019, equation 8, whose root
    this is).

    Args:
        model: Compiled with the loss to look at.
        groups: Its coupling groups.
        data: The first :data:`TAYLOR_BATCHES` batches of the training inputs are used.
        batch_size: Inputs per batch.
    """
    import tensorflow as tf

    weights = [
        (axis, variable_of(layer, axis.weight))
        for layer, axes in _axes(groups, gates=True)
        for axis in axes
    ]

    @tf.function
    def gradients(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.loss(targets, model(inputs, training=False))
        return tape.gradient(loss, [variable.value for _, variable in weights])

    total = np.zeros(len(groups.names))
    batches = range(0, min(len(data.x_train), TAYLOR_BATCHES * batch_size), batch_size)
    for start in batches:
        part = slice(start, start + batch_size)
        targets = np.eye(data.classes, dtype=np.float32)[data.y_train[part]]
        change = np.zeros_like(total)
        slopes = gradients(data.x_train[part], targets)
        for (axis, variable), slope in zip(weights, slopes, strict=True):
            _add(change, axis, variable.numpy() * slope.numpy())
        total += change**2
    return np.sqrt(total / len(batches))


def random(groups: Groups, seed: int) -> Scores:
    """Return random scores."""
    return np.random.default_rng(seed).random(len(groups.names))


def relative_to_group(groups: Groups, scores: Scores) -> Scores:
    """Return scores over their group's mean, which makes layers comparable."""
    relative = scores.copy()
    for span in groups.slices.values():
        relative[span] /= max(float(scores[span].mean()), np.finfo(np.float64).tiny)
    return relative


def _axes(groups: Groups, gates: bool) -> Iterable[tuple[Any, tuple[WeightAxis, ...]]]:
    for channels in groups.layers.values():
        yield channels.layer, channels.gates if gates else channels.axes


def _add(total: Scores, axis: WeightAxis, values: npt.NDArray[np.floating[Any]]) -> None:
    """Add values of a weight's shape to the channels along one of its axes."""
    along = np.moveaxis(values, axis.axis, 0).reshape(axis.layout.size, -1).sum(axis=1)
    is_channel = axis.layout.channels != FIXED
    np.add.at(total, axis.layout.channels[is_channel], along[is_channel])
