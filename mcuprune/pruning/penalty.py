"""The price of width: a penalty on every resource term above its target.

With each term's excess ``e = max(0, term / target - 1)`` the penalty is the augmented Lagrangian
``sum(multiplier * e + curvature / 2 * e**2)`` (Nocedal & Wright, Numerical Optimization, chapter
17). It is zero, gradient included, once every term is within its target. The multipliers rise
while a resource exceeds its target and fall while it does not (dual ascent), so that no strength
has to be tuned by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcuprune.cost.soft import Soft

# Of the quadratic term. A network 10% over its target pays an extra price of 2.
CURVATURE = 20.0


def penalty(
    terms: Mapping[str, Sequence[Soft | float]],
    targets: Mapping[str, float],
    multipliers: Mapping[str, float],
) -> Soft:
    """Return the penalty with its derivative by each width.

    Args:
        terms: Per resource, terms (bytes or MACs) that shall not exceed its target.
        targets: Target per resource, in the terms' unit.
        multipliers: Strength per resource, at least 0.

    Returns:
        0 without slopes when no term exceeds its target.

    >>> width = Soft.width("conv", 8.0)
    >>> penalty({"sram": [width * 10]}, {"sram": 80.0}, {"sram": 1.0})
    Soft(value=0.0, slopes={})
    """
    total = Soft(0.0, {})
    for name, values in terms.items():
        for value in values:
            excess = Soft(0.0, {}) + value / targets[name] - 1.0
            if excess.value > 0:
                total = total + excess * multipliers[name] + excess * excess * (CURVATURE / 2)
    return total


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
