"""Resources as tables, every number with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.cost.resources import Resources
from mcuprune.cost.runtime import REFERENCE
from mcuprune.cost.verdict import Verdict
from mcuprune.planner.lifetimes import BUFFER_ALIGNMENT_BYTES

HOST_POINTER_BITS = 64
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
# Field of Resources, its label and its unit.
RESOURCE_ROWS = (
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


def resources_table(resources: Resources) -> Table:
    """Return what a model costs, a row per number with its origin."""
    table = Table("resource", box=SIMPLE)
    table.add_column("needed", justify="right", no_wrap=True)
    table.add_column("origin")
    for field, label, unit in RESOURCE_ROWS:
        value = getattr(resources, field)
        if _is_worth_a_row(resources, field):
            table.add_row(label, f"{value:,}{unit}", resources.provenance[field])
    return table


def _is_worth_a_row(resources: Resources, field: str) -> bool:
    """Leave out what is unknown or saves nothing, and an arena that only rounds the one used."""
    value = getattr(resources, field)
    if field == "arena_planned_bytes":
        return value is not None and value < resources.arena_total_bytes
    if field == "arena_smallest_bytes":
        return bool(value - resources.arena_total_bytes >= BUFFER_ALIGNMENT_BYTES)
    return value is not None


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
    if _is_of_host(resources):
        return HOST_NOTE
    return (
        f"The arena is counted as {resources['runtime']} allocates it with pointers of "
        f"{resources['pointer_bits']} bits."
    )


def _is_of_host(resources: Mapping[str, Any]) -> bool:
    return bool(
        resources["pointer_bits"] == HOST_POINTER_BITS and resources["runtime"] == REFERENCE
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
    for label, reference, pruned, origin in _accuracy_rows(report["accuracy"]):
        table.add_row(label, f"{reference:.1%}", f"{pruned:.1%}", "", origin)
    for label, reference, pruned, limit, unit, origin in _resource_rows(report):
        allowed = "" if limit is None else f"{limit:,}{unit}"
        style = "red" if limit is not None and pruned > limit else None
        table.add_row(
            label, f"{reference:,}{unit}", f"{pruned:,}{unit}", allowed, origin, style=style
        )
    return table


def _accuracy_rows(accuracy: Mapping[str, float]) -> Sequence[tuple[str, float, float, str]]:
    return (
        (
            "accuracy, float",
            accuracy["float_reference"],
            accuracy["float_pruned"],
            "interpreter (Keras)",
        ),
        ("accuracy, int8", accuracy["int8_reference"], accuracy["int8"], "interpreter (LiteRT)"),
    )


_Row = tuple[str, int, int, int | None, str, str]


def _resource_rows(report: Mapping[str, Any]) -> list[_Row]:
    before, after = report["resources"]["reference"], report["resources"]["pruned"]
    predicted, used = report["arena"]["predicted"], report["arena"]["used"]
    used_before = report["arena_reference"]["used"]
    limits = report["budget"]
    sram, flash, macs = (limits.get(name) for name in ("sram", "flash", "macs"))

    def arena(label: str, field: str, limit: int | None) -> list[_Row]:
        by_formula = (before[f"arena_{field}"], predicted[field])
        by_tflm = (used_before[field], used[field])
        return [
            (label, *by_formula, limit, " B", "predicted"),
            ("", *by_tflm, limit, " B", "interpreter (TFLM)"),
        ]

    on_host = _is_of_host(after)
    return [
        *([] if on_host else _board_rows(before, after, sram, flash)),
        *arena("arena head", "head_bytes", None),
        *arena("peak SRAM (arena)", "total_bytes", sram if on_host else None),
        (
            "flash (.tflite)",
            before["tflite_bytes"],
            after["tflite_bytes"],
            flash if on_host else None,
            " B",
            "file",
        ),
        ("MACs", before["macs"], after["macs"], macs, "", "predicted"),
        ("parameters", before["params"], after["params"], None, "", "predicted"),
    ]


def _board_rows(
    before: Mapping[str, Any], after: Mapping[str, Any], sram: int | None, flash: int | None
) -> list[_Row]:
    """Return what the firmware of a board needs, with the runtime's code where it is known."""

    def row(label: str, limit: int | None, *fields: str) -> _Row:
        needed = [sum(each[field] or 0 for field in fields) for each in (before, after)]
        return (label, needed[0], needed[1], limit, " B", "predicted")

    return [
        row("arena on the board", sram, "arena_total_bytes"),
        row("flash on the board", flash, "tflite_bytes", "runtime_code_bytes"),
    ]
