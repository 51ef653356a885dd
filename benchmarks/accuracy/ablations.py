"""What is left of our method without one of its parts; to be told from methods by their labels."""

from __future__ import annotations

from collections.abc import Mapping
from unittest import mock

import numpy as np

from accuracy.methods import (
    METHODS,
    OURS,
    Job,
    Method,
    Trained,
    ours,
    pruned_by_ours,
    trained_whole,
    uniform_by_group,
)
from accuracy.widths import network
from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut
from mcuprune.pruning.importance import FloatArray, Importance


def widths_of_ours(job: Job) -> Trained:
    """Train a fresh network of the widths that our method found, from scratch.

    What is left without the training that found the widths.
    """
    import keras

    model = network(job.recipe, job.data, job.whole)
    groups = coupling_groups(model)
    cut(groups, {g.name: np.arange(job.shape.get(g.name, 1)) for g in groups.prunable})
    # A clone has initial weights of its own, drawn for the cut shapes.
    fresh = keras.models.clone_model(model)
    return Trained(fresh, trained_whole(fresh, job))


def uniform_by_ours(job: Job) -> Trained:
    """Prune while training, to the widths of the ``uniform`` method.

    What is left without the search of widths.
    """
    model = network(job.recipe, job.data, job.whole)
    widths = uniform_by_group(job, coupling_groups(model))
    return pruned_by_ours(model, job, min_channels=widths, max_channels=widths)


def importance_by_chance(job: Job) -> Trained:
    """Prune while training, with channels that differ by chance alone.

    What is left without the measured importance: groups have their worth by width and price, and
    which channels stay is drawn. They differ too little to count in the widths.
    """
    rng = np.random.default_rng(job.recipe.training.seed)

    def draw(self: Importance, sensitivities: Mapping[str, FloatArray]) -> None:
        if not self.state():
            drawn = {n: 1.0 + 1e-3 * rng.random(len(v)) for n, v in sensitivities.items()}
            self.restore({name: values.tolist() for name, values in drawn.items()})

    with mock.patch.object(Importance, "update", draw):
        return ours(job)


WIDTHS_OF_OURS = "ours, its widths from scratch"
UNIFORM_BY_OURS, BY_CHANCE = "ours, to uniform widths", "ours, importance by chance"
# By the names of the command line.
ALL: Mapping[str, Method] = {
    **METHODS,
    WIDTHS_OF_OURS: widths_of_ours,
    UNIFORM_BY_OURS: uniform_by_ours,
    BY_CHANCE: importance_by_chance,
}
PRUNING_WHILE_TRAINING = frozenset({OURS, UNIFORM_BY_OURS, BY_CHANCE})
# What each is called in the table of the parts. The cuts are `--vary cuts=N` under these labels,
# the last is `--vary plan_memory=false`.
PARTS: Mapping[str, str] = {
    OURS: OURS,
    WIDTHS_OF_OURS: "its widths, from scratch",
    UNIFORM_BY_OURS: "to uniform widths",
    "uniform": "uniform, from scratch",
    BY_CHANCE: "importance by chance",
    "ours, one cut": "one cut",
    "ours, six cuts": "six cuts",
    "ours, without a memory plan": "without a memory plan",
}
