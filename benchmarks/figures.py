"""Draws the docs' figures of a pruning: widths, resources and gates, step by step.

    python benchmarks/figures.py

trains the recipe ``digits`` once and writes ``docs/pictures/pruning.svg``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np

from mcuprune.pruning.callback import MCUPruning
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.models import builder
from mcuprune.recipes.training import compile_model

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
GATED = "conv2"


class Trace(keras.callbacks.Callback):
    """Notes widths, resources and one group's gates after every step."""

    def __init__(self, pruning: MCUPruning) -> None:
        super().__init__()
        self._pruning = pruning
        self.widths: list[dict[str, int]] = []
        self.resources: list[dict[str, int]] = []
        self.gates: list[np.ndarray] = []

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        pruner = self._pruning.pruner
        self.widths.append(pruner.widths())
        self.resources.append(pruner.resources())
        gates = pruner.gates().get(GATED, np.ones(pruner.widths()[GATED]))
        self.gates.append(np.sort(gates)[::-1])


def traced() -> tuple[Trace, dict[str, int], float]:
    """Return the trace, the limits and the steps of an epoch."""
    recipe = load_recipe("digits")
    data = load(recipe.data.name, None, recipe.data.options)
    keras.utils.set_random_seed(recipe.training.seed)
    model = builder(recipe.model.name)(
        input_shape=data.input_shape, classes=data.classes, **recipe.model.options
    )
    epochs = recipe.pruning.end_epoch + 2
    compile_model(model, recipe.training, recipe.training.epochs, len(data.x_train))
    budget = recipe.budget.budget()
    pruning = MCUPruning(
        budget,
        start_epoch=recipe.pruning.start_epoch,
        end_epoch=recipe.pruning.end_epoch,
        **recipe.pruning.options,
    )
    trace = Trace(pruning)
    labels = keras.utils.to_categorical(data.y_train, data.classes)
    batch = recipe.training.batch_size
    callbacks = [pruning, trace]
    model.fit(data.x_train, labels, batch_size=batch, epochs=epochs, verbose=0, callbacks=callbacks)
    return trace, dict(budget.limits()), len(trace.widths) / epochs


def draw(trace: Trace, limits: dict[str, int], steps_per_epoch: float, place: Path) -> None:
    """Draw widths, shares of the budget and gates over the epochs."""
    epochs = np.arange(1, len(trace.widths) + 1) / steps_per_epoch
    plt.rcParams.update({"font.size": 9, "svg.hashsalt": "mcuprune", "svg.fonttype": "none"})
    figure, (widths, needs, gates) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for group in trace.widths[0]:
        widths.plot(epochs, [step[group] for step in trace.widths], label=group)
    widths.set(title="open channels per group", xlabel="epoch", ylim=0)
    widths.legend(frameon=False)
    for resource, limit in limits.items():
        shares = [100 * step[resource] / limit for step in trace.resources]
        needs.plot(epochs, shares, label=resource)
    needs.axhline(100, color="black", linewidth=0.8, linestyle="--")
    needs.set(title="need, % of the budget (predicted)", xlabel="epoch", ylim=0)
    needs.legend(frameon=False)
    most = max(map(len, trace.gates))
    picture = np.full((most, len(trace.gates)), np.nan)
    for step, values in enumerate(trace.gates):
        picture[: len(values), step] = values
    extent = (epochs[0], epochs[-1], most, 0)
    shown = gates.imshow(
        picture, aspect="auto", extent=extent, cmap="viridis", vmin=0, vmax=1, interpolation="none"
    )
    gates.set(title=f"gates of {GATED}, sorted", xlabel="epoch", ylabel="channel")
    figure.colorbar(shown, ax=gates, label="0 closed, 1 open; white: removed")
    place.parent.mkdir(exist_ok=True)
    figure.savefig(place, metadata={"Date": None})


if __name__ == "__main__":
    draw(*traced(), PICTURES / "pruning.svg")
    print(PICTURES / "pruning.svg")
