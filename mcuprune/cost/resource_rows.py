"""The numbers of a model that are worth a row in a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcuprune.planner.lifetimes import BUFFER_ALIGNMENT_BYTES
from mcuprune.units import format_milliseconds

if TYPE_CHECKING:
    from mcuprune.cost.resources import Resources

# Field of Resources, its label and its unit.
_ROWS = (
    ("arena_head_bytes", "arena head", " B"),
    ("arena_tail_bytes", "arena tail", " B"),
    ("arena_total_bytes", "peak SRAM (arena)", " B"),
    ("arena_smallest_bytes", "smallest arena that allocates", " B"),
    ("arena_planned_bytes", "arena with a plan in the file", " B"),
    ("flash_bytes", "flash (.tflite)", " B"),
    ("runtime_code_bytes", "flash (code of the runtime)", " B"),
    ("macs", "MACs", ""),
    ("params", "parameters", ""),
)


@dataclasses.dataclass(frozen=True)
class ResourceRow:
    """One number.

    Attributes:
        label: What it is.
        needed: The number with its unit.
        origin: Where it comes from.
    """

    label: str
    needed: str
    origin: str


def resource_rows(resources: Resources) -> Iterator[ResourceRow]:
    """Yield what a model costs, one row per number; what is not known is left out."""
    for field, label, unit in _ROWS:
        if _is_worth_a_row(resources, field):
            value = getattr(resources, field)
            yield ResourceRow(label, f"{value:,}{unit}", resources.provenance[field])


def time_row(resources: Resources) -> Iterator[ResourceRow]:
    """Yield the latency on the board that was asked about, where it is known."""
    if resources.latency_ms is not None:
        label = f"latency on {resources.board or 'the board'}"
        needed = format_milliseconds(resources.latency_ms)
        yield ResourceRow(label, needed, resources.provenance["latency_ms"])


def _is_worth_a_row(resources: Resources, field: str) -> bool:
    """Leave out what is unknown or saves nothing, and an arena that only rounds the one used."""
    value = getattr(resources, field)
    if field == "arena_planned_bytes":
        return value is not None and value < resources.arena_total_bytes
    if field == "arena_smallest_bytes":
        return bool(value - resources.arena_total_bytes >= BUFFER_ALIGNMENT_BYTES)
    return value is not None
