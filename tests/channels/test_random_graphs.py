"""Random networks: cut ones compute what masked ones do, and Keras takes them for ordinary ones."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from keeps import narrowest_keep, random_keep
from masked_model import masked_outputs, relative_difference
from network_checks import (
    TOLERANCE,
    cloned_difference,
    cut_and_compare,
    outputs,
    reloaded_difference,
)
from networks import random_inputs, randomise
from random_graphs import Described, network, networks

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.surgery import cut

# The same networks in every run: continuous integration has to be repeatable.
LONG = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
REPEATABLE = settings(LONG, derandomize=True)


def built(described: Described, seed: int) -> Any:
    """Build a network with weights that depend on the seed alone."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    return randomise(network(*described), seed)


# Chooses the channels that stay, by a seed.
CHOICES = {"random": random_keep, "narrowest": narrowest_keep}


def require_exact_cut(described: Described, seed: int, choice: str) -> None:
    """Cut a network and hold it against the masked one.

    A network without anything to prune is passed over; hypothesis fails the test if these are
    more than a few, so that freezing everything is no way to pass.

    Args:
        described: The network.
        seed: Of its weights, of the cut and of the inputs.
        choice: Name of what chooses the channels that stay.
    """
    model = built(described, seed)
    groups = coupling_groups(model)
    assume(groups.prunable)
    inputs, keep = random_inputs(model, seed), CHOICES[choice](groups, seed)
    masked = masked_outputs(model, groups, keep, inputs)
    after = cut(groups, keep).groups
    assert relative_difference(masked, outputs(model, inputs)) <= TOLERANCE
    assert choice == "random" or not after.prunable


@settings(REPEATABLE, max_examples=200)
@given(networks(most_steps=6), st.integers(0, 9), st.sampled_from(sorted(CHOICES)))
def test_cut_and_masked_networks_agree(described: Described, seed: int, choice: str) -> None:
    require_exact_cut(described, seed, choice)


@settings(REPEATABLE, max_examples=8)
@given(described=networks(most_steps=8), seed=st.integers(0, 9))
def test_cut_networks_can_be_cloned_saved_and_loaded(
    tmp_path_factory: pytest.TempPathFactory, described: Described, seed: int
) -> None:
    """In between two cuts, of which the second leaves one channel per group."""
    model = built(described, seed)
    inputs = random_inputs(model, seed)
    assume(coupling_groups(model).prunable)
    first = cut_and_compare(model, lambda groups: random_keep(groups, seed), inputs)
    assert first.difference <= TOLERANCE
    assert reloaded_difference(model, inputs, tmp_path_factory.mktemp("saved")) == 0
    assert cloned_difference(model, inputs) == 0
    second = cut_and_compare(model, lambda g: narrowest_keep(g, seed), inputs, first.groups)
    assert second.difference <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_thousands_of_cut_and_masked_networks_agree(part: int) -> None:
    @seeded(part)
    @settings(LONG, max_examples=250)
    @given(networks(most_steps=12), st.integers(0, 99), st.sampled_from(sorted(CHOICES)))
    def agree(described: Described, seed: int, choice: str) -> None:
        require_exact_cut(described, seed, choice)

    agree()
