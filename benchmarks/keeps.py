"""Choices of channels to keep, at random and at the extremes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcuprune.channels.groups import Groups

Keep = dict[str, npt.NDArray[np.intp]]


def random_keep(groups: Groups, seed: int) -> Keep:
    """Keep of every prunable group a random number of channels, from one to all."""
    rng = np.random.default_rng(seed)
    widths = {g.name: int(rng.integers(1, g.width + 1)) for g in groups.prunable}
    return _chosen(groups, widths, rng)


def narrowest_keep(groups: Groups, seed: int) -> Keep:
    """Keep one channel of every prunable group."""
    widths = {group.name: 1 for group in groups.prunable}
    return _chosen(groups, widths, np.random.default_rng(seed))


def one_narrow_keep(groups: Groups, name: str, seed: int) -> Keep:
    """Keep one channel of the group ``name`` and all of the others."""
    return _chosen(groups, {name: 1}, np.random.default_rng(seed))


def _chosen(groups: Groups, widths: dict[str, int], rng: np.random.Generator) -> Keep:
    return {
        name: np.sort(rng.permutation(groups.groups[name].width)[:width])
        for name, width in widths.items()
    }
