"""The memory timeline as one picture: what lies in the arena, operator by operator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget, require_budget
from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.runtime import REFERENCE
from mcuprune.ir.graph import Graph
from mcuprune.ir.read import read_graph
from mcuprune.report.occupancy import BAR_ORDER, Arena, LiveTensor, Role, Step, arena, peak_step

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
HOST = "TFLM on a 64-bit host"
BUDGET_COLOUR = "#C0392B"
# With up to this many operators a bar is as wide as its tensors' shapes.
MOST_WIDE_OPERATORS = 8
# Beyond this many operators a bar is narrower than a line of text.
MOST_LABELLED_OPERATORS = 20
# Share of the axis that a bar segment needs to hold its shape, written across or upwards.
LOWEST_SHARE_ACROSS = 0.05
LOWEST_SHARE_UPWARDS = 0.16


HEADROOM = 1.16


def plot_memory(model: Any, *, board: str | None = None, budget: Budget | None = None) -> Any:
    """Draw the memory timeline of one model.

    Each bar is an operator: the persistent tail of the arena below, the live tensors on top. The
    largest is marked, the budget is a line.

    Args:
        model: A built functional or Sequential ``keras.Model``, or the path of a ``.keras``,
            ``.h5`` or ``.tflite`` file.
        board: Count the arena as that board's firmware uses it; by default the budget's board, and
            without one as TFLM uses it on a 64-bit host.
        budget: What is allowed.

    Returns:
        A ``matplotlib.figure.Figure``, apart from pyplot's.

    Raises:
        InputError: The file is missing, unreadable or malformed, or the budget is none.
        UnknownNameError: No such board; names the nearest.
        UnsupportedModelError: The Keras model cannot be read as a graph.
    """
    if budget is not None:
        require_budget(budget)
    board = board or (None if budget is None else budget.board)
    runtime = REFERENCE if board is None else runtime_of_board(board)
    pointer_bits = None if board is None else BOARD_POINTER_BITS
    graph = read_graph(model)
    limit = None if budget is None else budget.sram
    counted = HOST if board is None else f"{runtime} on {board}"
    return _drawn({Path(graph.name).name: arena(graph, runtime, pointer_bits)}, limit, counted)


def plot_memory_timeline(
    before: Graph, after: Graph, budget_sram: int | None, path: str | Path
) -> None:
    """Write a PNG with the arena's contents per operator, before and after pruning.

    Args:
        before: The reference, dimensions as ints.
        after: The pruned model, dimensions as ints.
        budget_sram: Limit on the arena in bytes, None if SRAM is not limited.
        path: Where to write the PNG.
    """
    figure = _drawn({"before": arena(before), "after": arena(after)}, budget_sram, HOST)
    figure.savefig(path, dpi=130)


def _drawn(panels: Mapping[str, Arena], budget_sram: int | None, counted: str) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.5 + 5.75 * len(panels), 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    totals = [panel.total_bytes for panel in panels.values()]
    highest = max(*totals, budget_sram or 0) * HEADROOM
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        _draw(axis, title, panel, highest, budget_sram)
    axes[0].set_ylabel(f"arena bytes, counted as {counted}")
    steps = (step for panel in panels.values() for step in panel.steps)
    _legend(figure, {tensor.role for step in steps for tensor in step.live}, 3 * len(panels))
    return figure


def _draw(axis: Any, title: str, panel: Arena, highest: float, budget_sram: int | None) -> None:
    for step in panel.steps:
        _draw_step(axis, step, panel, highest)
    axis.set_ylim(0, highest)
    axis.set_xlim(-0.6, len(panel.steps) - 0.4)
    axis.set_xticks(
        range(len(panel.steps)),
        [short_kind(step.kind) for step in panel.steps],
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
        f"{title}: arena {panel.total_bytes:,} B "
        f"(head {panel.head_bytes:,} + tail {panel.tail_bytes:,})",
        fontsize=11,
    )
    _mark_peak(axis, panel)
    if panel.total_bytes > panel.tail_bytes + peak_step(panel.steps).size_bytes:
        _draw_line(axis, panel.total_bytes, "arena, with the greedy plan's gaps,", "black", ":")
    if budget_sram is not None:
        _draw_line(axis, budget_sram, "budget", BUDGET_COLOUR, "--")


def _draw_step(axis: Any, step: Step, panel: Arena, highest: float) -> None:
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


def _mark_peak(axis: Any, panel: Arena) -> None:
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


def _legend(figure: Any, roles: set[Role], columns: int) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=ROLE_COLOURS[role], label=ROLE_LABELS[role])
        for role in BAR_ORDER
        if role in roles
    ]
    handles.append(Patch(color=TAIL_COLOUR, label="persistent tail (structs, multipliers)"))
    handles.append(Patch(fill=False, edgecolor="black", linewidth=1.8, label="peak"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9
    )


def short_kind(kind: str) -> str:
    """Return an operator's name as short as charts need it."""
    names = {"DEPTHWISE_CONV_2D": "DW_CONV", "FULLY_CONNECTED": "FC", "AVERAGE_POOL_2D": "AVG_POOL"}
    return names.get(kind, kind.removesuffix("_2D"))
