"""Draws what lies where in the arena, as TFLM plans it and as the plan in the file says.

    python benchmarks/plan_figure.py vww_96_int8.tflite

writes ``docs/pictures/plan.svg``; the model is MLPerf Tiny's visual wake words.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from mcuprune.deployment.optimize import optimize
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.report.occupancy import Arena, arena

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "plan.svg"
KIB = 1024


def arenas(model: bytes) -> dict[str, Arena]:
    """Return the arena of the file as it is, and of the file with a plan."""
    files = {"TFLM's greedy plan": model, "the plan that mcuprune writes": optimize(model).model}
    return {title: arena(parse_tflite(data, title)) for title, data in files.items()}


def draw(found: dict[str, Arena], place: Path) -> None:
    """Draw a map per arena: operators from left to right, offsets upwards."""
    plt.rcParams.update({"font.size": 9, "svg.hashsalt": "mcuprune", "svg.fonttype": "none"})
    figure, axes = plt.subplots(1, len(found), figsize=(11, 3.2), sharey=True, layout="constrained")
    for axis, (title, one) in zip(axes, found.items(), strict=True):
        _draw_map(axis, one)
        axis.set(title=f"{title}: {one.head_bytes:,} B", xlabel="operator")
    axes[0].set(ylabel="offset in the arena's head, KiB (planned)")
    figure.savefig(place, metadata={"Date": None})


def _draw_map(axis: Any, one: Arena) -> None:
    colours = plt.get_cmap("tab10").colors
    for number, block in enumerate(one.blocks):
        operators = block.last_operator - block.first_operator + 1
        axis.broken_barh(
            [(block.first_operator - 0.5, operators)],
            (block.offset_bytes / KIB, block.size_bytes / KIB),
            facecolor=colours[number % len(colours)],
            edgecolor="white",
            linewidth=0.6,
        )
    live = max(sum(tensor.size_bytes for tensor in step.live) for step in one.steps)
    axis.axhline(live / KIB, color="black", linewidth=0.8, linestyle="--")
    axis.annotate(
        "most in use at once", (len(one.steps) - 0.5, live / KIB), ha="right", va="bottom"
    )
    axis.set(xlim=(-0.5, len(one.steps) - 0.5), ylim=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="A .tflite file.")
    draw(arenas(parser.parse_args().model.read_bytes()), PICTURE)
    print(PICTURE)
