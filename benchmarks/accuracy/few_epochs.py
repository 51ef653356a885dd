"""Methods that make a trained network fit within a few epochs more.

All begin with the same weights and get the same epochs, schedule and learning rate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from accuracy.methods import (
    CHOICES,
    OURS,
    Choose,
    Job,
    Trained,
    pruned_by_ours,
    trained_whole,
)
from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut
from mcuprune.pruning.distillation import soft_targets
from mcuprune.recipes.training import compile_model

# Takes the trained network, which it may change.
Shrink = Callable[[Any, Job], Trained]


def cut_first(choose: Choose) -> Shrink:
    """Return the method that cuts at once and has all epochs for what is left."""

    def shrink(model: Any, job: Job) -> Trained:
        training = job.recipe.training
        # Taylor scores need the loss.
        compile_model(model, training, training.epochs, len(job.data.x_train))
        groups = coupling_groups(model)
        cut(groups, choose(model, groups, job))
        return Trained(model, trained_whole(model, job))

    return shrink


def taught(shrink: Shrink) -> Shrink:
    """Return the method whose network also learns what the trained one answers."""

    def learn(model: Any, job: Job) -> Trained:
        targets = soft_targets(model, job.data.x_train, job.data.y_train)
        return shrink(model, dataclasses.replace(job, targets=targets))

    return learn


_SHRINKS: Mapping[str, Shrink] = {
    OURS: pruned_by_ours,
    **{name: cut_first(CHOICES[name]) for name in ("magnitude-layer", "taylor-layer")},
}
# By the names of the command line.
SHRINKS: Mapping[str, Shrink] = {
    **_SHRINKS,
    **{f"{name}, taught": taught(shrink) for name, shrink in _SHRINKS.items()},
}
