"""Which channels stay: the same share of every group, or the best of all groups together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from accuracy.scores import Scores
from mcuprune.channels.groups import Groups

Keep = dict[str, npt.NDArray[np.intp]]


def best_of_each(groups: Groups, scores: Scores, widths: dict[str, int]) -> Keep:
    """Return the best channels of every prunable group, ``widths`` of them.

    Args:
        groups: Of the whole network.
        scores: Per channel.
        widths: How many stay of each group.
    """
    return {
        group.name: np.sort(np.argsort(-scores[groups.slices[group.name]])[: widths[group.name]])
        for group in groups.prunable
    }


def best_of_all(groups: Groups, scores: Scores, removed: int) -> Keep:
    """Return what stays when the worst channels of all groups go, whichever group they are in.

    The best channel of each group always stays.

    Args:
        groups: Of the whole network.
        scores: Per channel, comparable between groups.
        removed: How many channels go.
    """
    worst = removable(groups, scores)[:removed]
    stays = np.ones(len(groups.names), dtype=np.bool_)
    stays[worst] = False
    return {g.name: np.flatnonzero(stays[groups.slices[g.name]]) for g in groups.prunable}


def removable(groups: Groups, scores: Scores) -> npt.NDArray[np.intp]:
    """Return all channels but the best of each prunable group, the worst first."""
    others = [np.arange(0)]
    for group in groups.prunable:
        span = groups.slices[group.name]
        order = np.argsort(-scores[span])
        others.append(span.start + order[1:])
    candidates = np.concatenate(others).astype(np.intp)
    return candidates[np.argsort(scores[candidates], kind="stable")]


def fewest_removed(most: int, fits: Callable[[int], bool]) -> int:
    """Return the smallest number of removed channels that fits.

    Args:
        most: How many can go.
        fits: Whether the network without that many fits; it then does without more.

    Raises:
        ValueError: Nothing fits.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    if not fits(low):
        raise ValueError(f"does not fit even without {most} channels")
    return low
