"""Soft widths: how many channels of each group the network can afford, as real numbers.

Each group's width climbs the worth of importance (see ``projection``) and falls under its price,
both per relative change of width. Gates follow the width: the most important channels stay open,
the one at the margin is ajar, the rest are closed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def worth_of_widths(shares: FloatArray) -> FloatArray:
    """Return the worth of each width of a group: ``log(kept share) - 1 / width``.

    The logarithm makes halving any group equally dear. The second term is for groups of a few
    channels, through which everything has to pass: what a layer can express comes closer to any
    function as one over its width (Barron, "Universal approximation bounds for superpositions of a
    sigmoidal function", 1993), so that the step from two channels to one costs far more than that
    from twenty to ten.

    Args:
        shares: Importance share of each channel of the group, summing to 1.

    Returns:
        float64 ``(n,)``: the worth of 1 to ``n`` channels, the most important ones.

    >>> worth_of_widths(np.array([0.25, 0.75])).round(3).tolist()
    [-1.288, -0.5]
    """
    kept = np.cumsum(np.sort(shares)[::-1])
    return np.asarray(np.log(np.maximum(kept, 1e-12)) - 1.0 / np.arange(1, len(shares) + 1))


def marginal_worth(shares: FloatArray, width: float) -> float:
    """Return the worth that the channel at the margin adds, per relative change of width.

    The derivative of the worth (:func:`worth_of_widths`) by ``log(width)``, at a soft width: 1 and
    one over the width when all channels matter alike.

    Args:
        shares: Importance share of each channel of the group, summing to 1.
        width: Soft width, between 0 and the number of channels.

    >>> marginal_worth(np.array([0.25, 0.25, 0.25, 0.25]), 2.0)
    1.5
    """
    ordered = np.sort(shares)[::-1]
    whole = min(int(width), len(ordered) - 1)
    kept = ordered[:whole].sum() + ordered[whole] * (width - whole)
    return float(width * ordered[whole] / max(kept, 1e-12) + 1.0 / max(width, 1.0))


def moved(width: float, force: float, rate: float, floor: float, full: float) -> float:
    """Return a soft width after one step.

    Args:
        width: Soft width before.
        force: Marginal worth minus price, per relative change of width; clipped to [-1, 1].
        rate: Largest relative change of width in a step.
        floor: Smallest allowed width.
        full: Number of channels.
    """
    change = rate * min(max(force, -1.0), 1.0)
    return min(max(width * (1.0 + change), float(floor)), float(full))


def gates_for(shares: FloatArray, width: float, before: FloatArray, most: float) -> FloatArray:
    """Return gates whose sum follows a soft width.

    Args:
        shares: Importance share of each channel.
        width: Soft width.
        before: Gates so far.
        most: Largest change of a gate in a step: closing takes several steps, in which the
            network adapts.

    Returns:
        One gate in [0, 1] per channel.
    """
    rank = np.empty(len(shares))
    rank[np.argsort(-shares, kind="stable")] = np.arange(len(shares))
    wanted = np.clip(width - rank, 0.0, 1.0)
    return np.asarray(np.clip(wanted, before - most, before + most))


def most_important(
    gates: Mapping[str, FloatArray], shares: Mapping[str, FloatArray], widths: Mapping[str, int]
) -> dict[str, npt.NDArray[np.intp]]:
    """Return the indices of each group's channels to keep, ascending.

    Wider open gates come first, among equals the more important channels.

    Args:
        gates: Gates per group.
        shares: Importance shares per group.
        widths: How many channels each group keeps.
    """
    kept = {}
    for name, width in widths.items():
        order = np.lexsort((-shares[name], -gates[name]))
        kept[name] = np.sort(order[:width])
    return kept
