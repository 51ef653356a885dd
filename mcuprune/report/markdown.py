"""A report as Markdown, for the summaries of CI systems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mcuprune.report.comparison import SHARE, written, written_change
from mcuprune.report.contents import Report
from mcuprune.report.page.confusion import confusion_view
from mcuprune.report.page.tiles import tiles
from mcuprune.report.simulation import simulation_rows

# What Markdown, or HTML within it, would read as more than text.
_MEANINGFUL = re.compile(r"([\\`*_{}\[\]()#+!|<>&~$@])")
# The page shows the whole matrix.
MOST_CONFUSED = 5


def render_markdown(report: Report) -> str:
    """Return the report; names from models, recipes and files are escaped."""
    parts = [
        f"# {report.headline}: {escaped(report.title)}",
        *([escaped(report.margins)] if report.margins else []),
        *([escaped(report.limited_by)] if report.limited_by else []),
        *_doubts(report),
        *_limits(report),
        *_comparison(report),
        *_widths(report),
        *_confusions(report),
        *_simulation(report),
        *_operators(report),
        *_notes(report),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    >>> print(escaped("a|b_<c>"))
    a\|b\_\<c\>
    """
    return _MEANINGFUL.sub(r"\\\1", " ".join(text.split()))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> str:
    """Return a table whose last ``numbers`` columns but the origin stand at the right."""
    count = len(headings)
    rule = ["---:" if 0 < index <= numbers else "---" for index in range(count)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (headings, rule, *rows))


def _doubts(report: Report) -> Iterator[str]:
    if report.doubts:
        yield "\n".join(
            f"- **{escaped(doubt.name)}**: {escaped(doubt.message)}." for doubt in report.doubts
        )


def _limits(report: Report) -> Iterator[str]:
    shown = [tile for tile in tiles(report) if tile.share is not None]
    if shown:
        rows = [
            (
                tile.label,
                f"**{tile.value} {tile.unit}**".replace(" **", "**"),
                f"{tile.against.removeprefix('of ')}",
                f"{'exceeded: ' if tile.state == 'bad' else ''}{tile.spare}",
                tile.origin,
            )
            for tile in shown
        ]
        yield _table(("resource", "needed", "budget", "", "origin"), rows, 3)


def _comparison(report: Report) -> Iterator[str]:
    if not report.comparison:
        return
    before = ("reference", "pruned", "change") if report.has_reference else ("model",)
    rows = []
    for row in report.comparison:
        numbers = [written(row.after, row.unit)]
        if report.has_reference:
            numbers = [written(row.before, row.unit), *numbers, written_change(row)]
        rows.append((row.label, *numbers, row.origin))
    yield "## Before and after" if report.has_reference else "## Numbers"
    yield _table(("", *before, "origin"), rows, len(before))


def _widths(report: Report) -> Iterator[str]:
    if report.widths:
        rows = [
            (escaped(w.name), "" if w.before is None else str(w.before), str(w.after))
            for w in report.widths
        ]
        yield "## Widths per layer"
        yield _table(("layer", "reference", "pruned"), rows, 2)


def _confusions(report: Report) -> Iterator[str]:
    if report.confusions:
        yield "## Answers on the test set"
        rows = [
            (c.label, f"{c.right:,} of {c.total:,}", written(c.right / max(c.total, 1), SHARE))
            for c in report.confusions
        ]
        yield _table(("", "right", "share"), rows, 2)
        entries = confusion_view(report.confusions[-1]).entries[:MOST_CONFUSED]
        if entries:
            yield "Confused most often in int8:"
            yield "\n".join(f"- {escaped(entry)}" for entry in entries)


def _simulation(report: Report) -> Iterator[str]:
    if report.simulation is not None:
        yield f"## Simulated {escaped(report.simulation['board'])}"
        rows = list(simulation_rows(report.simulation))
        yield _table(("simulated", "value", "of"), rows, 2)


def _operators(report: Report) -> Iterator[str]:
    if not report.operators:
        return
    yield "## Cost per operator (predicted)"
    headings = ["operator", "MACs", "weights", "SRAM"]
    if report.cycles_for is not None:
        headings.append("cycles")
        yield f"Cycles are those of {escaped(report.cycles_for)}."
    rows = []
    for operator in report.operators:
        cells = [
            f"{operator.index} {escaped(operator.kind)}{' (peak)' if operator.is_peak else ''}",
            written(operator.macs, ""),
            written(operator.weights_bytes, "B"),
            written(operator.working_set_bytes, "B"),
        ]
        if report.cycles_for is not None:
            cells.append(written(operator.cycles, "") or "?")
        rows.append(cells)
    yield _table(headings, rows, len(headings) - 1)


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield "## Notes"
        yield "\n".join(f"- {escaped(note)}" for note in report.notes)
