"""What a memory chart is made of, in percent of its width and height."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Piece:
    """A rectangle in a chart, in percent of its width and height.

    Attributes:
        left: From the left edge.
        bottom: From the lower edge.
        width: To the right.
        height: Upwards.
        block: Number of the block that it shows; -1 for the tail.
        colour: Class of the style sheet.
        name: Name of the tensor.
        lines: What else is known of it.
        has_label: Whether its name may stand in it.
    """

    left: float
    bottom: float
    width: float
    height: float
    block: int
    colour: str
    name: str
    lines: tuple[str, ...]
    has_label: bool


@dataclasses.dataclass(frozen=True)
class Column:
    """The place of an operator.

    Attributes:
        left: In percent.
        width: In percent.
        label: The operator's name, short.
        title: Its number, name and bytes.
        is_peak: Whether it has the largest working set.
    """

    left: float
    width: float
    label: str
    title: str
    is_peak: bool


@dataclasses.dataclass(frozen=True)
class Mark:
    """A line across a chart.

    Attributes:
        bottom: In percent.
        text: What stands beside it.
    """

    bottom: float
    text: str


@dataclasses.dataclass(frozen=True)
class MemoryChart:
    """One chart.

    Attributes:
        kind: ``"live"`` or ``"map"``.
        title: What it shows.
        summary: The same in a sentence, for those who do not see it.
        pieces: The rectangles.
        columns: The operators.
        ticks: Marks of the vertical axis.
        arena: How far the arena reaches beyond what is live, None where it does not.
        budget: Where the budget ends, None without one or where that is out of the chart.
        budget_note: What is said of a budget that is out of the chart.
        least_pixels: What it needs in width.
    """

    kind: str
    title: str
    summary: str
    pieces: tuple[Piece, ...]
    columns: tuple[Column, ...]
    ticks: tuple[Mark, ...]
    arena: Mark | None
    budget: Mark | None
    budget_note: str
    least_pixels: int


@dataclasses.dataclass(frozen=True)
class MemoryPanel:
    """The charts of one model.

    Attributes:
        title: Which model.
        sentence: Head, tail and peak in words.
        charts: What is live, then what lies where.
    """

    title: str
    sentence: str
    charts: tuple[MemoryChart, ...]
