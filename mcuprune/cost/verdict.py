"""Whether resources meet a budget, resource by resource."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from mcuprune.budget import RESOURCE_UNITS, Budget
from mcuprune.cost.resources import Resources
from mcuprune.errors import InputError
from mcuprune.notebook import html_table


@dataclasses.dataclass(frozen=True)
class VerdictRow:
    """One limited resource.

    Attributes:
        name: ``"sram"``, ``"flash"``, ``"macs"`` or ``"latency"``.
        required: What the model needs, in ``unit``.
        available: What the budget allows, in ``unit``.
        unit: ``"B"``, ``"MACs"`` or ``"us"``.
        note: What the number holds, where that is not plain.
    """

    name: str
    required: int
    available: int
    unit: str
    note: str = ""

    @property
    def excess(self) -> int:
        """How much is missing; 0 if the resource suffices."""
        return max(0, self.required - self.available)

    def to_json(self) -> dict[str, Any]:
        """Return ``required``, ``available``, ``excess``, ``unit`` and ``note`` if there is one."""
        numbers = {
            "required": self.required,
            "available": self.available,
            "excess": self.excess,
            "unit": self.unit,
        }
        return {**numbers, "note": self.note} if self.note else numbers


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A row per resource that the budget limits."""

    rows: tuple[VerdictRow, ...]

    @property
    def fits(self) -> bool:
        """Whether every resource suffices."""
        return all(row.excess == 0 for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return ``fits`` and, per limited resource, what :meth:`VerdictRow.to_json` returns."""
        rows = {row.name: row.to_json() for row in self.rows}
        return {"fits": self.fits, **rows}

    def _repr_html_(self) -> str:
        rows = [
            (row.name, *(f"{n:,} {row.unit}" for n in (row.required, row.available, row.excess)))
            for row in self.rows
        ]
        headings = ("resource", "required", "available", "excess")
        title = "fits" if self.fits else "does not fit"
        return html_table(headings, rows, title=title, numbers=[1, 2, 3])

    def __str__(self) -> str:
        """Say it in a line.

        >>> row = VerdictRow(name="sram", required=4200, available=4096, unit="B")
        >>> print(Verdict((row,)))
        exceeds: sram 4,200 of 4,096 B
        """
        rows = [f"{row.name} {row.required:,} of {row.available:,} {row.unit}" for row in self.rows]
        return f"{'fits' if self.fits else 'exceeds'}: {', '.join(rows)}"


def compare(resources: Resources, budget: Budget) -> Verdict:
    """Hold resources against a budget.

    The flash of a budget that names a board also holds the runtime's code, as far as it is known.

    Args:
        resources: What the model needs, counted for the budget's board if it names one.
        budget: What is allowed.

    Raises:
        InputError: The latency is limited, but not known.
    """
    code_bytes = 0 if budget.board is None else resources.runtime_code_bytes
    required = {
        "sram": resources.peak_sram_bytes,
        "flash": resources.flash_bytes + (code_bytes or 0),
        "macs": resources.macs,
    }
    notes = _notes(resources, budget)
    if budget.latency is not None:
        required["latency"] = _latency_us(resources)
    return Verdict(
        tuple(
            VerdictRow(name, required[name], available, RESOURCE_UNITS[name], notes.get(name, ""))
            for name, available in budget.limits()
        )
    )


def _notes(resources: Resources, budget: Budget) -> dict[str, str]:
    """Say what is counted on a board, and where allocating takes more than the limit."""
    notes = {} if budget.board is None else _board_notes(resources)
    if budget.sram is not None and resources.peak_sram_bytes <= budget.sram:
        allocating_bytes = resources.arena_smallest_bytes
        if allocating_bytes > budget.sram:
            over = f"to allocate it takes {allocating_bytes:,} B (predicted), some of it for a time"
            notes["sram"] = ", ".join(filter(None, [notes.get("sram"), over]))
    return notes


def _board_notes(resources: Resources) -> dict[str, str]:
    """Say what is counted on a board."""
    code_bytes = resources.runtime_code_bytes
    flash = f"file and {code_bytes or 0:,} B of code of {resources.runtime}"
    if code_bytes is None:
        flash = f"file alone: how large the code of {resources.runtime} is is not known"
    return {"sram": f"arena of {resources.runtime}", "flash": flash}


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
