"""How the target moves from what the network costs at first to the budget."""

from __future__ import annotations


def cubic_progress(fraction: float) -> float:
    """Return how much of the way to the budget is due, fast at first and slow at the end.

    ``1 - (1 - fraction)**3``, the schedule of Zhu & Gupta, "To prune, or not to prune"
    (arXiv 1710.01878), equation 1.

    Args:
        fraction: Elapsed share of the pruning phase, clipped to [0, 1].

    >>> cubic_progress(0.0), cubic_progress(0.5), cubic_progress(1.0)
    (0.0, 0.875, 1.0)
    """
    clipped = min(max(fraction, 0.0), 1.0)
    return 1.0 - (1.0 - clipped) ** 3


def target(start: float, budget: float, fraction: float) -> float:
    """Return a resource's target on the way from ``start`` to ``budget``.

    A resource that is within its budget from the start has the budget as its target throughout.

    Args:
        start: What the unpruned network needs, in bytes or MACs.
        budget: The limit, in the same unit.
        fraction: Elapsed share of the pruning phase.

    >>> target(1000, 200, 0.5)
    300.0
    >>> target(100, 200, 0.5)
    200
    """
    if start <= budget:
        return budget
    return start + (budget - start) * cubic_progress(fraction)
