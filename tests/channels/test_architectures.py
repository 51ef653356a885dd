"""Channels can be cut out of every architecture, and what is left is an ordinary Keras model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keeps import Keep, narrowest_keep, one_narrow_keep, random_keep
from masked_model import masked_outputs, relative_difference
from network_checks import (
    TOLERANCE,
    Agreement,
    as_int8,
    cloned_difference,
    compiled,
    cut_and_compare,
    outputs,
    reloaded_difference,
    summary_is_right,
    train_one_step,
)
from networks import APPLICATIONS, NETWORKS, network, random_inputs

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Groups
from mcuprune.channels.surgery import cut

# The larger of the small ones take seconds each.
LARGER = {"MobileNetV1-0.25", "MCUNet-like"}
SMALL = [
    pytest.param(name, marks=[pytest.mark.slow] if name in LARGER else [])
    for name in sorted(set(NETWORKS) - set(APPLICATIONS))
]
# Left to benchmarks/architectures.py: 54 million parameters take their time.
LARGEST = "InceptionResNetV2"
# Layers with weights that no rule lets through, each with the layer that it names.
FROZEN = {
    "custom layers": {"unruled": "(Mirror) has no channel rule"},
    "attention": {"mixed": "(MultiHeadAttention) has no channel rule"},
    "recurrent": {"read": "(GRU) has no channel rule"},
}
CONVERTED = (
    pytest.param("MCUNet-like", marks=pytest.mark.slow),
    "ResNeXt-like",
    "TCN",
    "U-Net",
    "accelerometer CNN",
    "channel splits",
    "decoder",
    "embedding",
    "nested backbone",
    "squeeze-and-excite",
    "two inputs",
)


def one_narrow(groups: Groups, seed: int) -> Keep:
    chosen = groups.prunable[seed % len(groups.prunable)]
    return one_narrow_keep(groups, chosen.name, seed)


def agreement(
    model: Any,
    choose: Callable[[Groups, int], Keep],
    seed: int,
    groups: Groups | None = None,
) -> Agreement:
    return cut_and_compare(model, lambda g: choose(g, seed), random_inputs(model, seed), groups)


@pytest.mark.parametrize("name", SMALL)
def test_cut_and_masked_networks_agree(name: str) -> None:
    model = network(name, seed=0)
    first = agreement(model, random_keep, 0)
    second = agreement(model, narrowest_keep, 0, first.groups)
    assert first.difference <= TOLERANCE
    assert second.difference <= TOLERANCE
    # Else silence of the dropped channels would prove nothing.
    assert first.effect > 100 * TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_a_single_group_can_be_cut_to_one_channel(name: str) -> None:
    model = network(name, seed=2)
    found = agreement(model, one_narrow, seed=2)
    assert found.difference <= TOLERANCE
    assert found.effect > 10 * TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_a_cut_network_is_an_ordinary_model(name: str, tmp_path: Path) -> None:
    model = compiled(network(name, seed=3))
    inputs = random_inputs(model, seed=3)
    train_one_step(model, inputs, seed=3)
    assert agreement(model, random_keep, seed=3).difference <= TOLERANCE

    before = [weight.numpy().copy() for weight in model.trainable_weights]
    assert np.isfinite(train_one_step(model, inputs, seed=4))
    after = [weight.numpy().copy() for weight in model.trainable_weights]
    moved = [np.any(a != b) for a, b in zip(after, before, strict=True)]
    assert np.mean(moved) > 0.5
    assert reloaded_difference(model, inputs, tmp_path) == 0
    assert cloned_difference(model, inputs) == 0
    assert summary_is_right(model)


@pytest.mark.parametrize("name", CONVERTED)
def test_a_cut_network_is_foreseen_in_int8(name: str) -> None:
    """The graph from Keras against the converter and TFLM, which know nothing of the cut."""
    model = network(name, seed=0)
    cut_and_compare(model, lambda groups: random_keep(groups, 0), random_inputs(model, 0))
    file = as_int8(model, random_inputs(model, seed=1, count=8))
    assert file.same_operators
    assert file.flash_predicted_bytes == file.flash_counted_bytes
    assert file.arena_predicted_bytes == file.arena_counted_bytes


@pytest.mark.parametrize("name", SMALL)
def test_what_cannot_be_pruned_is_named(name: str) -> None:
    groups = coupling_groups(network(name, seed=0))
    ends = {n for key in groups.graph.outputs for n in groups.layouts[key].numbers.tolist()}
    inner = [g for g in groups.groups.values() if groups.slices[g.name].start not in ends]
    frozen = {group.name: group.frozen for group in inner if group.frozen}
    expected = FROZEN.get(name, {})
    assert frozen.keys() == expected.keys()
    assert all(expected[group] in reason for group, reason in frozen.items())


@pytest.mark.parametrize("name", ["ResNet-8", "concat cascade", "ResNeXt-like", "other norms"])
def test_the_comparison_sees_a_wrong_channel(name: str) -> None:
    """Of one group the neighbour of a dropped channel is cut: the outputs must not agree."""
    model = network(name, seed=0)
    inputs = random_inputs(model, seed=0)
    groups = coupling_groups(model)
    group = groups.prunable[-1]
    right, wrong = np.arange(1, group.width), np.delete(np.arange(group.width), 1)
    masked = masked_outputs(model, groups, {group.name: right}, inputs)
    cut(groups, {group.name: wrong})
    assert relative_difference(masked, outputs(model, inputs)) > 10 * TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(APPLICATIONS) - {LARGEST}))
def test_applications_can_be_cut(name: str, tmp_path: Path) -> None:
    model = network(name, seed=0)
    first = agreement(model, random_keep, 0)
    frozen = [group.name for group in first.groups.groups.values() if group.frozen]
    assert len(frozen) == 1  # the classes
    assert first.difference <= TOLERANCE
    assert first.effect > 10 * TOLERANCE
    assert reloaded_difference(model, random_inputs(model, seed=1), tmp_path) == 0
    assert agreement(model, narrowest_keep, 0, first.groups).difference <= TOLERANCE
