"""Whether resources meet a budget, resource by resource."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from mcuprune.budget import RESOURCE_UNITS, Budget
from mcuprune.cost.resources import Resources
from mcuprune.errors import InputError


@dataclasses.dataclass(frozen=True)
class VerdictRow:
    """One limited resource.

    Attributes:
        name: ``"sram"``, ``"flash"``, ``"macs"`` or ``"latency"``.
        required: What the model needs, in ``unit``.
        available: What the budget allows, in ``unit``.
        unit: ``"B"``, ``"MACs"`` or ``"us"``.
    """

    name: str
    required: int
    available: int
    unit: str

    @property
    def excess(self) -> int:
        """How much is missing; 0 if the resource suffices."""
        return max(0, self.required - self.available)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A row per resource that the budget limits."""

    rows: tuple[VerdictRow, ...]

    @property
    def fits(self) -> bool:
        """Whether every resource suffices."""
        return all(row.excess == 0 for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return ``fits`` and, per limited resource, ``required``, ``available``, ``excess``."""
        rows = {
            row.name: {
                "required": row.required,
                "available": row.available,
                "excess": row.excess,
                "unit": row.unit,
            }
            for row in self.rows
        }
        return {"fits": self.fits, **rows}


def compare(resources: Resources, budget: Budget) -> Verdict:
    """Hold resources against a budget.

    Args:
        resources: What the model needs.
        budget: What is allowed.

    Raises:
        InputError: The latency is limited, but not known.
    """
    required = {
        "sram": resources.peak_sram_bytes,
        "flash": resources.flash_bytes,
        "macs": resources.macs,
    }
    if budget.latency is not None:
        required["latency"] = _latency_us(resources)
    return Verdict(
        tuple(
            VerdictRow(name, required[name], available, RESOURCE_UNITS[name])
            for name, available in budget.limits()
        )
    )


def _latency_us(resources: Resources) -> int:
    """Return the latency in whole microseconds, rounded up."""
    if resources.latency_ms is None:
        why = (
            "they were counted for no board"
            if resources.latency is None
            else (resources.latency.absent)
        )
        raise InputError(
            f"the budget limits the latency of {resources.model}, which is not known: {why}; limit "
            "MACs instead, or name a board whose speed is known"
        )
    return math.ceil(resources.latency_ms * 1_000)
