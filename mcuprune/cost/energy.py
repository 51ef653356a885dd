"""Energy of an inference: time on a board, times what the board draws meanwhile."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import Power
from mcuprune.errors import InputError

# From the least to the most trustworthy.
_ORIGINS = ("inferred", "published", "measured")
_MILLIJOULES_PER_KWH = 3.6e9


@dataclasses.dataclass(frozen=True)
class Energy:
    """Energy of one inference.

    Attributes:
        millijoules: Power times latency.
        active_mw: The power.
        origin: The weaker of where the latency and where the power come from.
        source: Where the power was read, and what was metered.
        error_percent: Largest deviation of a network's power, None if unknown; that of the latency
            comes on top.
    """

    millijoules: float
    active_mw: float
    origin: str
    source: str
    error_percent: float | None


def inference_energy(latency_ms: float, latency_origin: str, power: Power) -> Energy:
    """Return the energy of one inference.

    Args:
        latency_ms: How long it takes.
        latency_origin: ``"measured"``, ``"published"`` or ``"inferred"``.
        power: What the board draws.

    >>> inference_energy(100.0, "published", Power(50.0, "published", "a meter")).millijoules
    5.0
    """
    origins = (latency_origin, power.origin)
    return Energy(
        millijoules=latency_ms * power.active_mw / 1_000,
        active_mw=power.active_mw,
        origin=min(origins, key=_ORIGINS.index),
        source=power.source,
        error_percent=power.error_percent,
    )


def grams_co2e(millijoules: float, inferences: float, grid_g_per_kwh: float) -> float:
    """Return the emissions of producing the energy of inferences.

    Args:
        millijoules: Energy of one inference.
        inferences: How many.
        grid_g_per_kwh: Intensity of the grid, in grams of CO2 equivalent per kilowatt-hour.

    Raises:
        InputError: A negative intensity.

    >>> grams_co2e(3.6, 1e9, 400.0)
    400.0
    """
    if grid_g_per_kwh < 0:
        raise InputError(
            f"a grid intensity of {grid_g_per_kwh} g/kWh is negative: give grams of CO2e per "
            "kilowatt-hour, such as 400"
        )
    return millijoules * inferences / _MILLIJOULES_PER_KWH * grid_g_per_kwh
