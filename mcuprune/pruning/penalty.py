"""The price of width: a penalty on every resource term above its target.

With each term's excess ``e = max(0, term / target - 1)`` the penalty is the augmented Lagrangian
``sum(multiplier * e + curvature / 2 * e**2)`` (Nocedal & Wright, Numerical Optimization, chapter
17). It is zero, gradient included, once every term is within its target. The multipliers rise
while a resource exceeds its target and fall while it does not (dual ascent), so that no strength
has to be tuned by hand.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mcuprune.cost.formulas import FloatArray

# Of the quadratic term. A network 10% over its target pays an extra price of 2.
CURVATURE = 20.0


def penalty(
    terms: Mapping[str, FloatArray],
    targets: Mapping[str, float],
    multipliers: Mapping[str, float],
) -> tuple[float, dict[str, FloatArray]]:
    """Return the penalty and its derivative by each term.

    Args:
        terms: Per resource, terms (bytes or MACs) that shall not exceed its target.
        targets: Target per resource, in the terms' unit.
        multipliers: Strength per resource, at least 0.

    >>> penalty({"sram": np.array([80.0])}, {"sram": 80.0}, {"sram": 1.0})
    (0.0, {'sram': array([0.])})
    >>> penalty({"sram": np.array([120.0])}, {"sram": 80.0}, {"sram": 1.0})
    (3.0, {'sram': array([0.1375])})
    """
    total, slopes = 0.0, {}
    for name, values in terms.items():
        excess = np.maximum(values / targets[name] - 1.0, 0.0)
        total += float(np.sum(multipliers[name] * excess + CURVATURE / 2 * excess**2))
        slopes[name] = (excess > 0) * (multipliers[name] + CURVATURE * excess) / targets[name]
    return total, slopes


def ascend(multiplier: float, excess: float, rate: float) -> float:
    """Return a multiplier after one step of dual ascent.

    Args:
        multiplier: Strength before.
        excess: Largest term over target, minus 1; negative while the target is met.
        rate: Step size.

    >>> ascend(1.0, 0.25, rate=2.0)
    1.5
    >>> ascend(0.25, -1.0, rate=2.0)
    0.0
    """
    return max(0.0, multiplier + rate * excess)
