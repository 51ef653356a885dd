"""Trainings as line charts over the epochs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from mcuprune.report.history import Series, Training
from mcuprune.report.page.charts import Mark
from mcuprune.report.page.scale import ticks

# The lines are drawn in a square of this many units, which the page stretches.
UNITS = 1000
HEADROOM = 0.04
# Above the budget's line, for the word that stands on it.
HEADROOM_OF_LIMIT = 0.12
# Resources above this many times their budget are cut off, so that the end stays legible.
MOST_OF_BUDGET = 4.0
QUANTIZATION = "quantization"


@dataclasses.dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        label: What it shows.
        colour: Class of the style sheet.
        is_dashed: Whether it is the less important one of its kind.
        points: As SVG's ``polyline`` takes them.
        last: Its last number, written.
    """

    label: str
    colour: str
    is_dashed: bool
    points: str
    last: str


@dataclasses.dataclass(frozen=True)
class EpochColumn:
    """The place of an epoch, to point at.

    Attributes:
        left: In percent.
        width: In percent.
        title: Which epoch.
        lines: The numbers there.
    """

    left: float
    width: float
    title: str
    lines: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class LineChart:
    """One chart.

    Attributes:
        title: What it shows.
        origin: Where its numbers come from.
        lines: Its lines.
        ticks: Marks of the vertical axis.
        epoch_ticks: Marks of the horizontal axis, ``bottom`` counted from the left.
        limit: Where the budget is, None without one.
        columns: The epochs.
    """

    title: str
    origin: str
    lines: tuple[Line, ...]
    ticks: tuple[Mark, ...]
    epoch_ticks: tuple[Mark, ...]
    limit: Mark | None
    columns: tuple[EpochColumn, ...]


@dataclasses.dataclass(frozen=True)
class _Curve:
    label: str
    colour: str
    is_dashed: bool
    first_epoch: int
    values: tuple[float | None, ...]


def line_charts(trainings: Sequence[Training]) -> tuple[LineChart, ...]:
    """Return accuracy, loss and resources against the budget, as far as they were logged.

    Args:
        trainings: In the order in which they ran.
    """
    resources = [
        _Curve(_without_unit(series.label), f"c{number}", False, 0, _shares_of_limit(series))
        for training in trainings
        for number, series in enumerate(training.resources)
        if series.limit
    ]
    accuracy = _curves(trainings, lambda training: training.accuracies)
    loss = _curves(trainings, lambda training: training.losses)
    charts = (
        _chart("Accuracy", "interpreter (Keras)", accuracy, "{:.1%}", None),
        _chart("Share of the budget", "predicted", resources, "{:.0%}", 1.0),
        _chart("Loss", "interpreter (Keras)", loss, "{:.3g}", None),
    )
    return tuple(chart for chart in charts if chart is not None)


def _curves(
    trainings: Sequence[Training], chosen: Callable[[Training], Iterable[Series]]
) -> list[_Curve]:
    return [
        _Curve(
            f"{training.title}, {series.label}",
            f"c{number}",
            position > 0,
            _first_epoch(trainings, number),
            series.values,
        )
        for number, training in enumerate(trainings)
        for position, series in enumerate(chosen(training))
    ]


def _first_epoch(trainings: Sequence[Training], number: int) -> int:
    """Return where a training begins; that of quantization goes on after the pruning."""
    if trainings[number].title != QUANTIZATION or number == 0:
        return 0
    return trainings[number - 1].epochs


def _without_unit(label: str) -> str:
    """Return the name of a resource alone: its share of a budget has no unit."""
    return label.removesuffix(" B").removesuffix(" us")


def _shares_of_limit(series: Series) -> tuple[float | None, ...]:
    limit = series.limit or 1.0
    return tuple(None if value is None else value / limit for value in series.values)


def _chart(
    title: str, origin: str, curves: Sequence[_Curve], form: str, limit: float | None
) -> LineChart | None:
    values = [value for curve in curves for value in curve.values if value is not None]
    if not values:
        return None
    lowest, highest = min(values), max(values)
    if limit is not None:
        lowest, highest = 0.0, min(max(highest, limit), MOST_OF_BUDGET)
    headroom = HEADROOM if limit is None else HEADROOM_OF_LIMIT
    margin = (highest - lowest or abs(highest) or 1.0) * headroom
    bottom, top = (0.0 if limit is not None else lowest - margin), highest + margin
    epochs = max(curve.first_epoch + len(curve.values) for curve in curves)

    def up(value: float) -> float:
        return 100 * (min(value, top) - bottom) / (top - bottom)

    return LineChart(
        title,
        origin,
        tuple(_line(curve, epochs, up, form) for curve in curves),
        tuple(Mark(up(value), form.format(value)) for value in ticks(bottom, top)),
        _epoch_ticks(epochs),
        None if limit is None else Mark(up(limit), "budget"),
        tuple(_column(epoch, epochs, curves, form) for epoch in range(epochs)),
    )


def _line(curve: _Curve, epochs: int, up: Callable[[float], float], form: str) -> Line:
    points = [
        f"{_across(curve.first_epoch + index, epochs) * UNITS / 100:.1f},"
        f"{UNITS - up(value) * UNITS / 100:.1f}"
        for index, value in enumerate(curve.values)
        if value is not None
    ]
    last = next((value for value in reversed(curve.values) if value is not None), None)
    written = "" if last is None else form.format(last)
    return Line(curve.label, curve.colour, curve.is_dashed, " ".join(points), written)


def _across(epoch: int, epochs: int) -> float:
    """Return where an epoch stands, in percent: in the middle of its column."""
    return 100 * (epoch + 0.5) / epochs


def _epoch_ticks(epochs: int) -> tuple[Mark, ...]:
    whole = sorted({round(value) for value in ticks(1, epochs)} | {1})
    return tuple(Mark(_across(epoch - 1, epochs), str(epoch)) for epoch in whole)


def _column(epoch: int, epochs: int, curves: Sequence[_Curve], form: str) -> EpochColumn:
    lines = []
    for curve in curves:
        index = epoch - curve.first_epoch
        value = curve.values[index] if 0 <= index < len(curve.values) else None
        if value is not None:
            lines.append(f"{curve.label}: {form.format(value)}")
    return EpochColumn(100 * epoch / epochs, 100 / epochs, f"epoch {epoch + 1}", tuple(lines))
