"""Resources as tables, every number with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.cost.resource_rows import resource_rows
from mcuprune.cost.resources import Resources
from mcuprune.cost.verdict import Verdict
from mcuprune.report.comparison import comparison_rows, is_of_host, written

HOST_NOTE = (
    "The arena is counted as TFLM counts it on a 64-bit host, which is conservative: the tail is "
    "smaller on a 32-bit device, the head the same."
)
# Field of Causes and its label.
CAUSES = (
    ("activations", "activations"),
    ("scratch", "scratch of kernels"),
    ("plan_gaps", "gaps of the memory plan"),
    ("persistent_buffers", "persistent buffers of kernels"),
    ("structs", "structures of TFLM"),
    ("alignment", "alignment"),
)


def resources_table(resources: Resources) -> Table:
    """Return what a model costs, a row per number with its origin."""
    table = Table("resource", box=SIMPLE)
    table.add_column("needed", justify="right", no_wrap=True)
    table.add_column("origin")
    for row in resource_rows(resources):
        table.add_row(row.label, row.needed, row.origin)
    return table


def causes_table(resources: Resources) -> Table:
    """Return what the bytes of the arena go to."""
    table = Table("arena goes to", box=SIMPLE)
    table.add_column("bytes", justify="right", no_wrap=True)
    for field, label in CAUSES:
        table.add_row(label, f"{getattr(resources.arena_by_cause, field):,}")
    table.add_section()
    table.add_row("arena", f"{resources.arena_by_cause.total_bytes:,}")
    return table


def runtime_note(resources: Resources) -> str:
    """Say whose arena was counted."""
    return counting_note(resources.to_json())


def counting_note(resources: Mapping[str, Any]) -> str:
    """Say whose arena was counted.

    Args:
        resources: What ``mcuprune estimate --json`` prints.
    """
    if is_of_host(resources):
        return HOST_NOTE
    return (
        f"The arena is counted as {resources['runtime']} allocates it with pointers of "
        f"{resources['pointer_bits']} bits."
    )


def operators_table(resources: Resources) -> Table:
    """Return what each operator costs; the one with the largest working set is marked.

    ``kept`` is what TFLM keeps for the operator for good: persistent buffers and structures.
    """
    table = Table("operator", box=SIMPLE)
    for heading in ("MACs", "weights B", "working set B", "scratch B", "kept B"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for operator in resources.operators:
        table.add_row(
            f"{operator.index} {operator.kind}",
            f"{operator.macs:,}",
            f"{operator.weights_bytes:,}",
            f"{operator.working_set_bytes:,}",
            f"{operator.arena_by_cause.scratch:,}",
            f"{operator.arena_by_cause.persistent_buffers + operator.arena_by_cause.structs:,}",
            "peak" if operator.index == resources.peak_operator else "",
        )
    return table


def verdict_table(verdict: Verdict) -> Table:
    """Return required, available and excess for each limited resource, and what was counted."""
    table = Table("resource", box=SIMPLE, title="fits" if verdict.fits else "does not fit")
    for heading in ("required", "available", "excess"):
        table.add_column(heading, justify="right", no_wrap=True)
    if any(row.note for row in verdict.rows):
        table.add_column("counted")
    for row in verdict.rows:
        values = (row.required, row.available, row.excess)
        style = "red" if row.excess else "green"
        numbers = (f"{value:,} {row.unit}" for value in values)
        table.add_row(row.name, *numbers, *([row.note] if row.note else []), style=style)
    return table


def run_table(report: Mapping[str, Any]) -> Table:
    """Return reference, pruned model and budget side by side.

    Args:
        report: What ``mcuprune run --json`` prints.
    """
    table = Table("", box=SIMPLE)
    for heading in ("reference", "pruned", "budget"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("origin", no_wrap=True)
    for row in comparison_rows(report):
        numbers = (written(value, row.unit) for value in (row.before, row.after, row.limit))
        table.add_row(row.label, *numbers, row.origin, style="red" if row.is_over else None)
    return table
