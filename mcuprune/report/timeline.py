"""The memory timeline as one picture: what lies in the arena, operator by operator."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from mcuprune.cost.memory import arena_head, arena_tail
from mcuprune.ir.graph import Graph
from mcuprune.report.occupancy import BAR_ORDER, LiveTensor, Role, Step, occupancy, peak_step

# Colours that people with colour-blindness tell apart (Okabe and Ito, 2008).
ROLE_COLOURS = {"keeps": "#56B4E9", "reads": "#0072B2", "writes": "#E69F00", "scratch": "#CC79A7"}
ROLE_LABELS = {
    "keeps": "kept for a later operator",
    "reads": "read by this operator",
    "writes": "written by this operator",
    "scratch": "scratch of the kernel",
}
LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
TAIL_COLOUR = "#BBBBBB"
BUDGET_COLOUR = "#C0392B"
# With up to this many operators a bar is as wide as its tensors' shapes.
MOST_WIDE_OPERATORS = 8
# Beyond this many operators a bar is narrower than a line of text.
MOST_LABELLED_OPERATORS = 20
# Share of the axis that a bar segment needs to hold its shape, written across or upwards.
LOWEST_SHARE_ACROSS = 0.05
LOWEST_SHARE_UPWARDS = 0.16


@dataclasses.dataclass(frozen=True)
class _Panel:
    """One model's timeline, counted.

    Attributes:
        title: Above the panel.
        steps: What is live at each operator.
        head_bytes: Head of the arena under TFLM's greedy plan.
        tail_bytes: Persistent tail of the arena.
    """

    title: str
    steps: list[Step]
    head_bytes: int
    tail_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.head_bytes + self.tail_bytes


def plot_memory_timeline(
    before: Graph, after: Graph, budget_sram: int | None, path: str | Path
) -> None:
    """Write a PNG with the arena's contents per operator, before and after pruning.

    Each bar is an operator: the persistent tail of the arena below, the live tensors on top. The
    largest is marked; the budget is a line over both panels.

    Args:
        before: The reference, dimensions as ints.
        after: The pruned model, dimensions as ints.
        budget_sram: Limit on the arena in bytes, None if SRAM is not limited.
        path: Where to write the PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [_panel("before", before), _panel("after", after)]
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2, sharey=True)
    highest = max(*(panel.total_bytes for panel in panels), budget_sram or 0) * 1.16
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel, highest, budget_sram)
    axes[0].set_ylabel("arena bytes, counted as TFLM on a 64-bit host")
    _legend(figure, {t.role for panel in panels for step in panel.steps for t in step.live})
    figure.savefig(path, dpi=130)


def _panel(title: str, graph: Graph) -> _Panel:
    return _Panel(title, occupancy(graph), int(arena_head(graph)), int(arena_tail(graph)))


def _draw(axis: Any, panel: _Panel, highest: float, budget_sram: int | None) -> None:
    for step in panel.steps:
        _draw_step(axis, step, panel, highest)
    axis.set_ylim(0, highest)
    axis.set_xlim(-0.6, len(panel.steps) - 0.4)
    axis.set_xticks(
        range(len(panel.steps)),
        [_short(step.kind) for step in panel.steps],
        rotation=55,
        ha="right",
        rotation_mode="anchor",
        fontsize=8,
    )
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.grid(axis="y", alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(
        f"{panel.title}: arena {panel.total_bytes:,} B "
        f"(head {panel.head_bytes:,} + tail {panel.tail_bytes:,})",
        fontsize=11,
    )
    _mark_peak(axis, panel)
    if panel.total_bytes > panel.tail_bytes + peak_step(panel.steps).size_bytes:
        _draw_line(axis, panel.total_bytes, "arena, with the greedy plan's gaps,", "black", ":")
    if budget_sram is not None:
        _draw_line(axis, budget_sram, "budget", BUDGET_COLOUR, "--")


def _draw_step(axis: Any, step: Step, panel: _Panel, highest: float) -> None:
    axis.bar(step.index, panel.tail_bytes, width=0.86, color=TAIL_COLOUR, linewidth=0)
    bottom = panel.tail_bytes
    for tensor in step.live:
        axis.bar(
            step.index,
            tensor.size_bytes,
            bottom=bottom,
            width=0.86,
            color=ROLE_COLOURS[tensor.role],
            edgecolor="white",
            linewidth=0.5,
        )
        if tensor.size_bytes >= highest * _lowest_share(len(panel.steps)):
            _write_shape(axis, step.index, bottom, tensor, len(panel.steps))
        bottom += tensor.size_bytes


def _lowest_share(operators: int) -> float:
    if operators > MOST_LABELLED_OPERATORS:
        return float("inf")
    return LOWEST_SHARE_ACROSS if operators <= MOST_WIDE_OPERATORS else LOWEST_SHARE_UPWARDS


def _write_shape(axis: Any, index: int, bottom: int, tensor: LiveTensor, operators: int) -> None:
    axis.text(
        index,
        bottom + tensor.size_bytes / 2,
        "\u00d7".join(map(str, tensor.shape)),
        ha="center",
        va="center",
        fontsize=7.5,
        rotation=0 if operators <= MOST_WIDE_OPERATORS else 90,
        color="white" if tensor.role == "reads" else "black",
    )


def _mark_peak(axis: Any, panel: _Panel) -> None:
    peak = peak_step(panel.steps)
    top = panel.tail_bytes + peak.size_bytes
    axis.bar(
        peak.index,
        peak.size_bytes,
        bottom=panel.tail_bytes,
        width=0.86,
        fill=False,
        edgecolor="black",
        linewidth=1.8,
    )
    leftmost = peak.index < len(panel.steps) / 2
    axis.annotate(
        f"peak: {peak.kind} (operator {peak.index}), {peak.size_bytes:,} B live",
        (peak.index, top),
        xytext=(4 if leftmost else -4, 9),
        textcoords="offset points",
        ha="left" if leftmost else "right",
        fontsize=9,
        fontweight="bold",
        bbox=LABEL_BOX,
    )


def _draw_line(axis: Any, level_bytes: int, label: str, colour: str, style: str) -> None:
    axis.axhline(level_bytes, color=colour, linestyle=style, linewidth=1.6)
    axis.annotate(
        f"{label} {level_bytes:,} B",
        (1.0, level_bytes),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=colour,
        fontsize=9,
        bbox=LABEL_BOX,
    )


def _legend(figure: Any, roles: set[Role]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=ROLE_COLOURS[role], label=ROLE_LABELS[role])
        for role in BAR_ORDER
        if role in roles
    ]
    handles.append(Patch(color=TAIL_COLOUR, label="persistent tail (structs, multipliers)"))
    handles.append(Patch(fill=False, edgecolor="black", linewidth=1.8, label="peak"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False, fontsize=9)


def _short(kind: str) -> str:
    names = {"DEPTHWISE_CONV_2D": "DW_CONV", "FULLY_CONNECTED": "FC", "AVERAGE_POOL_2D": "AVG_POOL"}
    return names.get(kind, kind.removesuffix("_2D"))
