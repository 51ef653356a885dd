"""Accuracy against a resource, as the page draws it: in percent of a chart's width and height."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from mcuprune.boards import Board
from mcuprune.boards import board as find_board
from mcuprune.report.page.charts import Mark
from mcuprune.report.page.scale import byte_text, byte_ticks, ticks
from mcuprune.sweep.live import cells
from mcuprune.sweep.row import FINISHED, Row
from mcuprune.units import format_milliseconds

# The lines are drawn in a square of this many units, which the page stretches.
UNITS = 1000
HEADROOM = 0.05
# A board's limit further to the right than this many times the largest trial is told in words.
MOST_BEYOND = 2.0
COLOURS = 8


@dataclasses.dataclass(frozen=True)
class Dot:
    """A trial.

    Attributes:
        left: In percent.
        bottom: In percent.
        colour: Class of the style sheet, that of its board.
        board: Number of its board.
        is_on_front: Whether no other trial of its board is better in all resources together.
        name: Its title.
        lines: What is known of it.
        link: Its report, from the page.
    """

    left: float
    bottom: float
    colour: str
    board: int
    is_on_front: bool
    name: str
    lines: tuple[str, ...]
    link: str


@dataclasses.dataclass(frozen=True)
class Steps:
    """The most accuracy that each amount of the resource buys on a board.

    Attributes:
        colour: Class of the style sheet.
        board: Number of the board.
        points: As SVG's ``polyline`` takes them.
    """

    colour: str
    board: int
    points: str


@dataclasses.dataclass(frozen=True)
class Limit:
    """Where a board's memory ends.

    Attributes:
        left: In percent.
        board: Number of the board.
        text: What stands beside it.
    """

    left: float
    board: int
    text: str


@dataclasses.dataclass(frozen=True)
class ParetoChart:
    """One chart.

    Attributes:
        title: The resource.
        origin: Where its numbers come from.
        dots: The finished trials.
        steps: The fronts, a board each.
        x_ticks: Marks of the resource, ``bottom`` counted from the left.
        y_ticks: Marks of the accuracy.
        limits: Limits of boards that lie in the chart.
        notes: Those that lie beyond it.
    """

    title: str
    origin: str
    dots: tuple[Dot, ...]
    steps: tuple[Steps, ...]
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    limits: tuple[Limit, ...]
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Resource:
    title: str
    origin: str
    value: Callable[[Row], float | None]
    marks: Callable[[float], Iterable[tuple[float, str]]]
    limit: Callable[[Board], int | None]


def _byte_marks(highest: float) -> list[tuple[float, str]]:
    return [(value, byte_text(value)) for value in byte_ticks(highest)]


def _count_marks(highest: float) -> list[tuple[float, str]]:
    return [(value, f"{value:,.0f}") for value in ticks(0.0, highest)]


def _time_marks(highest: float) -> list[tuple[float, str]]:
    return [(value, format_milliseconds(value) if value else "0") for value in ticks(0.0, highest)]


def _no_limit(_: Board) -> None:
    return None


_RESOURCES = (
    _Resource(
        "SRAM (arena)",
        "predicted",
        lambda row: row.peak_sram_bytes,
        _byte_marks,
        lambda board: board.arena_bytes,
    ),
    _Resource(
        "Flash (file)",
        "file",
        lambda row: row.flash_bytes,
        _byte_marks,
        lambda board: board.flash_bytes,
    ),
    _Resource("Latency", "predicted", lambda row: row.latency_ms, _time_marks, _no_limit),
    _Resource("MACs", "predicted", lambda row: row.macs, _count_marks, _no_limit),
)


def boards_of(rows: Sequence[Row]) -> list[str | None]:
    """Return the boards of trials, in the order of their first."""
    return list(dict.fromkeys(row.board for row in rows))


def colour_of(number: int) -> str:
    """Return the class of the style sheet for a board."""
    return f"c{number % COLOURS}"


def pareto_charts(rows: Sequence[Row]) -> list[ParetoChart]:
    """Return a chart for each resource that is known of a finished trial.

    Args:
        rows: All trials of a sweep.
    """
    boards = boards_of(rows)
    finished = [row for row in rows if row.status == FINISHED and row.accuracy is not None]
    charts = [_chart(resource, finished, boards) for resource in _RESOURCES]
    return [chart for chart in charts if chart is not None]


def _chart(
    resource: _Resource, rows: Sequence[Row], boards: Sequence[str | None]
) -> ParetoChart | None:
    known = [
        (row, value, row.accuracy)
        for row in rows
        if (value := resource.value(row)) is not None and row.accuracy is not None
    ]
    if not known:
        return None
    largest = max(value for _, value, _ in known)
    limits = {
        number: limit
        for number, name in enumerate(boards)
        if name is not None and (limit := resource.limit(find_board(name))) is not None
    }
    near = [limit for limit in limits.values() if limit <= MOST_BEYOND * largest]
    right = max([largest, *near]) * (1 + HEADROOM) or 1.0
    lowest, highest = (pick(accuracy for _, _, accuracy in known) for pick in (min, max))
    margin = (highest - lowest or 0.1) * 2 * HEADROOM
    bottom, top = max(0.0, lowest - margin), min(1.0, highest + margin)

    def across(value: float) -> float:
        return 100 * value / right

    def up(accuracy: float) -> float:
        return 100 * (accuracy - bottom) / (top - bottom)

    return ParetoChart(
        resource.title,
        resource.origin,
        tuple(
            _dot(row, across(value), up(accuracy), boards.index(row.board))
            for row, value, accuracy in known
        ),
        tuple(
            _steps([(across(v), up(a)) for row, v, a in known if row.board == name], number)
            for number, name in enumerate(boards)
            if any(row.board == name for row, _, _ in known)
        ),
        tuple(Mark(across(value), text) for value, text in resource.marks(right)),
        tuple(Mark(up(value), f"{value:.1%}") for value in ticks(bottom, top)),
        tuple(
            Limit(across(limit), number, f"{boards[number]}: {byte_text(limit)}")
            for number, limit in limits.items()
            if limit in near
        ),
        tuple(
            f"{boards[number]} has {byte_text(limit)}, beyond the right edge"
            for number, limit in limits.items()
            if limit not in near
        ),
    )


def _dot(row: Row, left: float, bottom: float, number: int) -> Dot:
    return Dot(
        left,
        bottom,
        colour_of(number),
        number,
        bool(row.on_front),
        f"Trial {row.trial}: {row.accuracy:.2%}",
        told(row),
        f"{row.folder}/deployment/report.html",
    )


def told(row: Row) -> tuple[str, ...]:
    """Return what is shown of a trial beside its accuracy."""
    _, sram, flash, macs, latency = cells(row)
    energy = None if row.energy_mj is None else f"energy {row.energy_mj:.3g} mJ (predicted)"
    lines = (
        f"budget: {row.label}" + ("" if row.fits else " (exceeded)"),
        f"board: {row.board}" if row.board else "counted for a 64-bit host",
        f"arena {sram} B, file {flash} B",
        f"{macs} MACs" + ("" if row.latency_ms is None else f", {latency} (predicted)"),
        energy,
        None if row.float_accuracy is None else f"float {row.float_accuracy:.2%}",
        f"seed {row.seed}, {row.epochs} epochs in {row.seconds:.0f} s",
        row.folder,
    )
    return tuple(line for line in lines if line)


def _steps(points: Sequence[tuple[float, float]], number: int) -> Steps:
    """Return the staircase over what lies left of each point."""
    corners: list[tuple[float, float]] = []
    for left, up in sorted(points, key=lambda point: (point[0], -point[1])):
        if not corners or up > corners[-1][1]:
            corners += [(left, corners[-1][1])] if corners else []
            corners.append((left, up))
    corners.append((100.0, corners[-1][1]))
    written = (f"{left * UNITS / 100:.1f},{UNITS - up * UNITS / 100:.1f}" for left, up in corners)
    return Steps(colour_of(number), number, " ".join(written))
