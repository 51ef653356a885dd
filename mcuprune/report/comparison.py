"""A run's numbers side by side: reference, pruned network, budget, and where each comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from mcuprune.cost.runtime import REFERENCE
from mcuprune.notebook import html_table
from mcuprune.units import format_milliseconds

HOST_POINTER_BITS = 64
SHARE = "share"
_ACCURACIES = (
    ("accuracy, float", "float_reference", "float_pruned", "interpreter (Keras)"),
    ("accuracy, int8", "int8_reference", "int8", "interpreter (LiteRT)"),
)


@dataclasses.dataclass(frozen=True)
class ComparisonRow:
    """One number before and after.

    Attributes:
        label: What it is; empty where it repeats the row above from another origin.
        before: Of the reference, None if unknown.
        after: Of the pruned network, None if unknown.
        limit: What the budget allows, None if it is not limited.
        unit: ``"B"``, ``"ms"``, ``"mJ"``, ``"share"`` (0 to 1) or nothing for a count.
        origin: ``"predicted"``, ``"planned"``, ``"file"``, ``"interpreter (LiteRT)"`` ...
    """

    label: str
    before: float | None
    after: float | None
    limit: float | None
    unit: str
    origin: str

    @property
    def is_over(self) -> bool:
        """Whether the limit is exceeded."""
        return self.limit is not None and self.after is not None and self.after > self.limit

    @property
    def change(self) -> float | None:
        """After over before, minus 1; of shares their difference. None where one is unknown."""
        if self.before is None or self.after is None:
            return None
        if self.unit == SHARE:
            return self.after - self.before
        return self.after / self.before - 1 if self.before else None


def written(value: float | None, unit: str) -> str:
    """Write a number with its unit; nothing for None.

    >>> written(10864, "B"), written(0.987, "share"), written(40000, ""), written(3.8512, "ms")
    ('10,864 B', '98.7%', '40,000', '3.85 ms')
    """
    if value is None:
        return ""
    if unit == SHARE:
        return f"{value:.1%}"
    if unit == "ms":
        return format_milliseconds(value)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
    return f"{number} {unit}".rstrip()


def written_change(row: ComparisonRow) -> str:
    """Write how a number changed; of shares in percentage points.

    >>> written_change(ComparisonRow("MACs", 4000, 1000, None, "", "predicted"))
    '-75%'
    >>> written_change(ComparisonRow("accuracy", 0.99, 0.985, None, "share", "interpreter"))
    '-0.5 points'
    """
    if row.change is None:
        return ""
    digits, unit = (1, " points") if row.unit == SHARE else (0, "%")
    value = f"{abs(row.change) * 100:.{digits}f}"
    if float(value) == 0:
        return "0" + unit
    return ("+" if row.change > 0 else "-") + value + unit


def comparison_rows(report: Mapping[str, Any]) -> list[ComparisonRow]:
    """Return all rows: accuracies, then resources.

    Args:
        report: What ``report.json`` of a run or a deployment holds.
    """
    return [*_accuracy_rows(report["accuracy"]), *_resource_rows(report)]


def comparison_html(report: Mapping[str, Any]) -> str:
    """Return the comparison as notebooks show it.

    Args:
        report: What ``report.json`` of a run or a deployment holds.
    """
    rows = [
        (row.label, *(written(n, row.unit) for n in (row.before, row.after, row.limit)), row.origin)
        for row in comparison_rows(report)
    ]
    headings = ("", "reference", "pruned", "budget", "origin")
    return html_table(headings, rows, title=str(report.get("recipe", "")), numbers=[1, 2, 3])


def is_of_host(resources: Mapping[str, Any]) -> bool:
    """Return whether resources were counted as TFLM's Python package uses memory.

    Args:
        resources: What ``mcuprune estimate --json`` prints.
    """
    return bool(
        resources["pointer_bits"] == HOST_POINTER_BITS and resources["runtime"] == REFERENCE
    )


def _accuracy_rows(accuracy: Mapping[str, float | None]) -> Iterator[ComparisonRow]:
    for label, before, after, origin in _ACCURACIES:
        row = ComparisonRow(label, accuracy.get(before), accuracy.get(after), None, SHARE, origin)
        if row.before is not None or row.after is not None:
            yield row


def _resource_rows(report: Mapping[str, Any]) -> Iterator[ComparisonRow]:
    after = report["resources"]["pruned"]
    limits = report["budget"] or {}
    on_host = is_of_host(after)
    if not on_host:
        yield _row(report, "arena on the board", limits.get("sram"), "arena_total_bytes")
        fields = ("tflite_bytes", "runtime_code_bytes")
        yield _row(report, "flash on the board", limits.get("flash"), *fields)
    sram, where = (limits.get("sram"), "") if on_host else (None, " on the host")
    if "arena" in report:
        yield from _arena_rows(report, f"arena head{where}", "head_bytes", None)
        yield from _arena_rows(report, f"peak SRAM (arena){where}", "total_bytes", sram)
    elif on_host:
        yield _row(report, "peak SRAM (arena)", sram, "arena_total_bytes")
    flash = limits.get("flash") if on_host else None
    yield _row(report, "flash (.tflite)", flash, "tflite_bytes", origin="file")
    yield _row(report, "MACs", limits.get("macs"), "macs", unit="")
    yield _row(report, "parameters", None, "params", unit="")


def _row(
    report: Mapping[str, Any],
    label: str,
    limit: int | None,
    *fields: str,
    unit: str = "B",
    origin: str = "predicted",
) -> ComparisonRow:
    """Return the sum of some fields of the resources, unknown ones as 0."""
    values = [
        None if found is None else sum(found[field] or 0 for field in fields)
        for found in (report["resources"]["reference"], report["resources"]["pruned"])
    ]
    return ComparisonRow(label, values[0], values[1], limit, unit, origin)


def _arena_rows(
    report: Mapping[str, Any], label: str, field: str, limit: int | None
) -> Iterator[ComparisonRow]:
    """Yield what was predicted for the host, then what TFLM used there."""
    reference = report["resources"]["reference"]
    used_before = report.get("arena_reference", {}).get("used", {})
    predicted, used = report["arena"]["predicted"], report["arena"]["used"]
    before = None if reference is None else reference[f"arena_{field}"]
    yield ComparisonRow(label, before, predicted[field], limit, "B", "predicted")
    yield ComparisonRow("", used_before.get(field), used[field], limit, "B", "interpreter (TFLM)")
