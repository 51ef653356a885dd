"""The methods that are compared: each trains a network that is to fit a budget.

All take the same epochs, optimizer, loss and learning rates: those of the task's recipe. Only those
that the whole network teaches take twice the epochs, half of them to train it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accuracy import scores
from accuracy.choice import Keep, best_of_all, best_of_each, fewest_removed, removable
from accuracy.phases import train
from accuracy.scores import Scores
from accuracy.tasks import Limits
from accuracy.widths import (
    Widths,
    cost_within,
    fits,
    network,
    one_multiplier,
    scaled,
    two_multipliers,
    whole_widths,
)
from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Groups
from mcuprune.channels.surgery import cut
from mcuprune.errors import InputError
from mcuprune.pruning.distillation import soft_targets
from mcuprune.recipes.datasets.dataset import Dataset, Floats
from mcuprune.recipes.schema import Recipe

CONTINUE, REWIND = "continue", "rewind"


@dataclasses.dataclass(frozen=True)
class Job:
    """What a method is to do.

    Attributes:
        recipe: Network and training, with the seed and the epochs of the run.
        data: What to train on.
        limits: What to fit into.
        pretrain_share: Share of the epochs before the cut, for methods that train twice.
        after_cut: ``"continue"`` the schedule after the cut, or ``"rewind"``: both stretches then
            have a schedule of their own.
        shape: Widths per coupling group that our method found, for what is trained from scratch
            with them.
        targets: What to learn for each training input, shape ``(n, classes)``; its label if None.
    """

    recipe: Recipe
    data: Dataset
    limits: Limits
    pretrain_share: float = 0.5
    after_cut: str = REWIND
    shape: Mapping[str, int] = dataclasses.field(default_factory=dict)
    targets: Floats | None = None

    @property
    def whole(self) -> Widths:
        """Widths of the whole network."""
        return whole_widths(self.recipe)

    @property
    def pretrain_epochs(self) -> int:
        """Epochs before the cut, at least 1 and at most all but one."""
        epochs = self.recipe.training.epochs
        return min(max(1, round(epochs * self.pretrain_share)), epochs - 1)


@dataclasses.dataclass(frozen=True)
class Trained:
    """What came of it.

    Attributes:
        model: A plain ``keras.Model``.
        fit_seconds: Wall time of training, cuts included.
    """

    model: Any
    fit_seconds: float


Method = Callable[[Job], Trained]
# Chooses what stays of a trained network.
Choose = Callable[[Any, Groups, Job], Keep]
Score = Callable[[Any, Groups, Job], Scores]


def ours(job: Job, **options: Any) -> Trained:
    """Prune while training from scratch, as the recipe says, within arena and flash alone.

    Args:
        job: What to do.
        options: Arguments of ``MCUPruning`` in place of the recipe's.
    """
    if job.recipe.pruning.start_from != "scratch":
        raise InputError("epochs of a reference would not be counted: leave pruning.start_from")
    return pruned_by_ours(network(job.recipe, job.data, job.whole), job, **options)


def pruned_by_ours(model: Any, job: Job, **options: Any) -> Trained:
    """Prune a network while training it, likewise."""
    from mcuprune import Budget
    from mcuprune.pruning.callback import MCUPruning

    recipe, limits = job.recipe, job.limits
    pruning = MCUPruning(
        Budget(sram=limits.arena_bytes, flash=limits.flash_bytes),
        start_epoch=recipe.pruning.start_epoch,
        end_epoch=recipe.pruning.end_epoch,
        **{**recipe.pruning.options, **options},
    )
    return Trained(model, trained_whole(model, job, [pruning]))


def uniform(job: Job) -> Trained:
    """Train the widest network of one multiplier that fits, from scratch."""
    return _from_scratch(job, _uniform_widths(job))


def two_multipliers_from_scratch(job: Job) -> Trained:
    """Train the network with most MACs of two multipliers that fits, from scratch."""
    cost = cost_within(job.recipe, job.data, job.limits)
    return _from_scratch(job, two_multipliers(job.whole, cost))


def layer_by_layer(score: Score) -> Choose:
    """Cut the same share of every group, the lowest scores."""

    def choose(model: Any, groups: Groups, job: Job) -> Keep:
        return best_of_each(groups, score(model, groups, job), uniform_by_group(job, groups))

    return choose


def across_layers(score: Score) -> Choose:
    """Cut the lowest scores of all groups until the rest fits.

    Scores count relative to their group's mean, as Torch-Pruning's do.
    """

    def choose(model: Any, groups: Groups, job: Job) -> Keep:
        found = scores.relative_to_group(groups, score(model, groups, job))

        def fits_without(removed: int) -> bool:
            trial = network(job.recipe, job.data, job.whole)
            cut(coupling_groups(trial), best_of_all(groups, found, removed))
            return fits(trial, job.limits)

        most = len(removable(groups, found))
        return best_of_all(groups, found, fewest_removed(most, fits_without))

    return choose


def _from_scratch(job: Job, widths: Widths) -> Trained:
    model = network(job.recipe, job.data, widths)
    return Trained(model, trained_whole(model, job))


def trained_whole(model: Any, job: Job, callbacks: Sequence[Any] = ()) -> float:
    """Train for all epochs of the recipe; return the seconds."""
    epochs = job.recipe.training.epochs
    return train(model, job.recipe, job.data, epochs, callbacks=callbacks, targets=job.targets)


def taught(method: Method) -> Method:
    """Return the method whose network learns from the whole one, trained before for as long.

    The seconds of both trainings count.
    """
    import keras

    def learn(job: Job) -> Trained:
        teacher = network(job.recipe, job.data, job.whole)
        before = trained_whole(teacher, job)
        targets = soft_targets(teacher, job.data.x_train, job.data.y_train)
        keras.utils.set_random_seed(job.recipe.training.seed)
        trained = method(dataclasses.replace(job, targets=targets))
        return dataclasses.replace(trained, fit_seconds=before + trained.fit_seconds)

    return learn


def uniform_by_group(job: Job, groups: Groups) -> dict[str, int]:
    """Return the width of each prunable group at the largest multiplier that fits."""
    multiplier = (max(_uniform_widths(job)), max(job.whole))
    return {g.name: scaled((g.width,), *multiplier)[0] for g in groups.prunable}


def _uniform_widths(job: Job) -> Widths:
    cost = cost_within(job.recipe, job.data, job.limits)
    return one_multiplier(job.whole, lambda widths: cost(widths)[0])


def _trained_twice(choose: Choose) -> Method:
    """Return the method that trains the whole network, cuts it once and trains on."""

    def method(job: Job) -> Trained:
        model = network(job.recipe, job.data, job.whole)
        first, epochs = job.pretrain_epochs, job.recipe.training.epochs
        span = epochs if job.after_cut == CONTINUE else None
        before = train(model, job.recipe, job.data, first, span=span)
        groups = coupling_groups(model)
        cut(groups, choose(model, groups, job))
        start = first if job.after_cut == CONTINUE else 0
        after = train(model, job.recipe, job.data, epochs - first, after=start, span=span)
        return Trained(model, before + after)

    return method


def _magnitude(model: Any, groups: Groups, job: Job) -> Scores:  # noqa: ARG001
    return scores.magnitude(groups)


def _taylor(model: Any, groups: Groups, job: Job) -> Scores:
    return scores.taylor(model, groups, job.data, job.recipe.training.batch_size)


def _random(model: Any, groups: Groups, job: Job) -> Scores:  # noqa: ARG001
    return scores.random(groups, job.recipe.training.seed)


OURS = "ours"
CHOICES: Mapping[str, Choose] = {
    "magnitude-layer": layer_by_layer(_magnitude),
    "magnitude-global": across_layers(_magnitude),
    "taylor-layer": layer_by_layer(_taylor),
    "taylor-global": across_layers(_taylor),
    "random": layer_by_layer(_random),
}
TAUGHT: Mapping[str, Method] = {
    f"{name}, taught by the whole network": taught(method)
    for name, method in {
        OURS: ours,
        "uniform": uniform,
        "two-multipliers": two_multipliers_from_scratch,
    }.items()
}
_BASELINES: Mapping[str, Method] = {
    "uniform": uniform,
    "two-multipliers": two_multipliers_from_scratch,
    **{name: _trained_twice(choose) for name, choose in CHOICES.items()},
}
METHODS: Mapping[str, Method] = {
    OURS: ours,
    **_BASELINES,
    **TAUGHT,
}
BASELINES = frozenset(_BASELINES)
TRAINED_TWICE = frozenset(CHOICES)
