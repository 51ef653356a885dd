"""Random networks: cut ones compute what masked ones do, and Keras takes them for ordinary ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from keeps import narrowest_keep, random_keep
from network_checks import (
    TOLERANCE,
    cloned_difference,
    cut_and_compare,
    reloaded_difference,
)
from networks import random_inputs, randomise
from random_graphs import Described, network, networks

from mcuprune.channels.analysis import coupling_groups

# The same networks in every run: continuous integration has to be repeatable.
REPEATABLE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def built(described: Described, seed: int) -> Any:
    """Build a network with weights that depend on the seed alone."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    return randomise(network(*described), seed)


def require_exact_cuts(described: Described, seed: int, folder: Path | None = None) -> None:
    """Cut a network at random, then to one channel per group; hold both against masked ones.

    A network without anything to prune is passed over; hypothesis fails the test if these are
    more than a few, so that freezing everything is no way to pass.

    Args:
        described: The network.
        seed: Of its weights, of the cut and of the inputs.
        folder: Where to save and load the network in between, if given.
    """
    model = built(described, seed)
    inputs = random_inputs(model, seed)
    assume(coupling_groups(model).prunable)
    first = cut_and_compare(model, lambda groups: random_keep(groups, seed), inputs)
    assert first.difference <= TOLERANCE
    if folder is not None:
        assert reloaded_difference(model, inputs, folder) == 0
        assert cloned_difference(model, inputs) == 0
    second = cut_and_compare(model, lambda g: narrowest_keep(g, seed), inputs, first.groups)
    assert second.difference <= TOLERANCE
    assert not second.groups.prunable


@settings(REPEATABLE, max_examples=60)
@given(networks(most_steps=8), st.integers(0, 9))
def test_cut_and_masked_networks_agree(described: Described, seed: int) -> None:
    require_exact_cuts(described, seed)


@settings(REPEATABLE, max_examples=8)
@given(described=networks(most_steps=8), seed=st.integers(0, 9))
def test_cut_networks_can_be_cloned_saved_and_loaded(
    tmp_path_factory: pytest.TempPathFactory, described: Described, seed: int
) -> None:
    require_exact_cuts(described, seed, tmp_path_factory.mktemp("saved"))


@pytest.mark.slow
@settings(REPEATABLE, max_examples=400)
@given(networks(most_steps=12), st.integers(0, 99))
def test_hundreds_of_cut_and_masked_networks_agree(described: Described, seed: int) -> None:
    require_exact_cuts(described, seed)
