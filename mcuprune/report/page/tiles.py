"""The few numbers that stand below the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mcuprune.report.comparison import SHARE, ComparisonRow, written, written_change
from mcuprune.report.contents import Limit, Report, written_limit

# Field of the comparison that goes with a limit, by the beginning of its label.
_ROWS = {"sram": ("arena on", "peak SRAM"), "flash": ("flash",), "macs": ("MACs",)}
_UNLIMITED = ("peak SRAM", "flash (.tflite)", "MACs")


@dataclasses.dataclass(frozen=True)
class Tile:
    """One number.

    Attributes:
        label: What it is.
        value: Written.
        unit: Of the value, written small.
        state: ``"ok"``, ``"bad"`` or empty where nothing is allowed or forbidden.
        share: Of the budget, in percent; None without one.
        against: What it is held against.
        spare: What is left or missing.
        change: How it changed from the reference.
        origin: Where the number comes from.
        note: What the number holds, where that is not plain.
    """

    label: str
    value: str
    unit: str
    state: str
    share: float | None
    against: str
    spare: str
    change: str
    origin: str
    note: str = ""


def tiles(report: Report) -> tuple[Tile, ...]:
    """Return accuracy, then each limited resource; without a budget memory, flash and MACs."""
    found = [*_accuracy(report), *(_limit(report, limit) for limit in report.limits)]
    return tuple(found if report.limits else [*found, *_unlimited(report)])


def _accuracy(report: Report) -> Iterator[Tile]:
    row = _row(report, "accuracy, int8")
    if row is None or row.after is None:
        return
    in_float = _row(report, "accuracy, float")
    against = ""
    if in_float is not None and in_float.after is not None:
        against = f"{written(in_float.after, SHARE)} in float"
    yield Tile(
        "Accuracy, int8",
        f"{row.after * 100:.1f}",
        "%",
        "",
        None,
        against,
        "",
        _change(row),
        row.origin,
    )


def _limit(report: Report, limit: Limit) -> Tile:
    starts = _ROWS.get(limit.name, (limit.name,))
    row = next((row for start in starts if (row := _row(report, start))), None)
    value, unit = _amount(limit.required, limit.unit)
    available, _ = _amount(limit.available, limit.unit)
    over = limit.spare < 0
    amount, _ = _amount(abs(limit.spare), limit.unit)
    return Tile(
        limit.label,
        value,
        unit,
        "bad" if over else "ok",
        100 * limit.required / limit.available,
        f"of {available} {unit}".rstrip(),
        f"{amount} {unit} {'too many' if over else 'to spare'}".replace("  ", " "),
        "" if row is None else _change(row),
        limit.origin,
        limit.note,
    )


def _unlimited(report: Report) -> Iterator[Tile]:
    for label in _UNLIMITED:
        row = _row(report, label)
        if row is not None and row.after is not None:
            value = f"{row.after:,}"
            yield Tile(row.label, value, row.unit, "", None, "", "", _change(row), row.origin)


def _row(report: Report, start: str) -> ComparisonRow | None:
    return next((row for row in report.comparison if row.label.startswith(start)), None)


def _change(row: ComparisonRow) -> str:
    change = written_change(row)
    if change.startswith("0"):
        return "as the reference"
    return f"{change} from {written(row.before, row.unit)}" if change else ""


def _amount(value: int, unit: str) -> tuple[str, str]:
    """Return a number and its unit as they are read."""
    number, _, shown = written_limit(value, unit).partition(" ")
    return number, shown
