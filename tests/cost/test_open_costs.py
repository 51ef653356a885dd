"""Costs compiled once over open widths against the graph counted anew at each of many widths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from networks import NETWORKS
from networks.applications import APPLICATIONS

from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.firmware import Target
from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_head, arena_tail, working_sets
from mcuprune.cost.open_costs import OpenCosts
from mcuprune.ir.from_keras import graph_from_keras


def narrower(full: dict[str, int], count: int) -> Iterator[dict[str, int]]:
    """Yield the widths themselves, 1 everywhere, and random ones between."""
    yield full
    yield dict.fromkeys(full, 1)
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield {name: int(rng.integers(1, width + 1)) for name, width in full.items()}


def assert_alike(model: Any, count: int, runtime: str = "tflm-reference") -> None:
    groups = coupling_groups(model)
    graph = graph_from_keras(model, groups.dims())
    costs = OpenCosts(graph, Target(runtime))
    for widths in narrower(groups.widths(), count):
        closed, found = graph.at(widths), costs.at(widths)
        assert found.working_sets.tolist() == working_sets(closed, runtime)
        assert costs.arena_head(found) == arena_head(closed, runtime)
        assert found.arena_tail == arena_tail(closed, runtime=runtime)
        assert found.flash_bytes == flash_bytes(closed)
        assert found.macs == total_macs(closed)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - set(APPLICATIONS)))
def test_networks_cost_what_their_closed_graphs_cost(name: str) -> None:
    assert_alike(NETWORKS[name](), count=10)


@pytest.mark.parametrize("runtime", ["tflm-cmsis-nn", "tflm-cmsis-nn-mve"])
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - set(APPLICATIONS)))
def test_scratch_of_optimized_kernels_follows_open_widths(name: str, runtime: str) -> None:
    assert_alike(NETWORKS[name](), 2, runtime)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_cost_what_their_closed_graphs_cost(name: str) -> None:
    assert_alike(APPLICATIONS[name](), count=4)


def test_a_hidden_dense_layer_of_one_unit_has_no_multipliers_per_channel() -> None:
    """Its weights then have one scale, and TFLM keeps a multiplier per channel only for several."""
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(4, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, name="head")(hidden))
    assert_alike(model, count=4)
    costs = OpenCosts(graph_from_keras(model, coupling_groups(model).dims()))
    tails = [costs.at({"hidden": width, "head": 3}).arena_tail for width in (1, 2, 4, 5)]
    # A multiplier and a shift, 4 B per unit, each aligned to 16 B.
    assert np.diff(tails).tolist() == [32, 0, 32]
