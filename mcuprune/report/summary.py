"""The end of a run in words and one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from mcuprune.boards import board
from mcuprune.cost.energy import grams_co2e
from mcuprune.cost.resources import Resources
from mcuprune.report.doubts import doubt_lines
from mcuprune.report.memory_plan import saved_lines
from mcuprune.report.simulation import simulated_lines
from mcuprune.report.sources import PAGE_FILE
from mcuprune.report.table import counting_note, run_table
from mcuprune.units import format_milliseconds

A_MILLION = 1_000_000


def print_summary(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the table, what limits the model, the verdict and where the files lie.

    Args:
        report: What ``report.json`` of a run holds.
        console: Where to print; stdout if None.
    """
    console = console or Console(markup=False)
    console.print(run_table(report))
    console.print(counting_note(report["resources"]["pruned"]), style="dim")
    console.print(agreement_sentence(report["agreement"]), highlight=False)
    console.print(report["limit"], highlight=False)
    lines = (*verdict_lines(report["check"]), *arena_lines(report), *saved_lines(report))
    for line in (*lines, *simulated_lines(report)):
        console.print(line, highlight=False)
    for line in doubt_lines(report):
        console.print(line, style="yellow", highlight=False)
    console.print(f"Deployment folder: {report['deployment']}", highlight=False, soft_wrap=True)
    page = Path(report["deployment"]) / PAGE_FILE
    console.print(f"Report: {page}", highlight=False, soft_wrap=True)


def agreement_sentence(agreement: Mapping[str, Any]) -> str:
    """Say how far Keras, LiteRT and TFLM agree."""
    return (
        f"LiteRT chooses the same class as Keras on {agreement['litert_vs_keras']:.1%} of "
        f"{agreement['litert_vs_keras_inputs']:,} test inputs. TFLM and LiteRT differ in "
        f"{agreement['tflm_vs_litert_bytes_differing']:,} of "
        f"{agreement['tflm_vs_litert_bytes']:,} output bytes (by at most "
        f"{agreement['tflm_vs_litert_largest_difference']}) and choose the same class on "
        f"{agreement['tflm_vs_litert_top1_agreement']:.1%} of "
        f"{agreement['tflm_vs_litert_inputs']:,} inputs."
    )


def verdict_lines(check: Mapping[str, Any] | None) -> list[str]:
    """Say whether the budget is met, and by how much each exceeded resource misses it."""
    if check is None:
        return []
    if check["fits"]:
        return ["The budget is met."]
    over = {name: row for name, row in check.items() if name != "fits" and row["excess"]}
    return [
        f"The budget is exceeded: {name} requires {row['required']:,} {row['unit']}, "
        f"{row['available']:,} {row['unit']} are available, {row['excess']:,} too many."
        for name, row in over.items()
    ]


def converted_lines(resources: Resources) -> list[str]:
    """Name the layers that were counted by converting them alone, if any were."""
    if not resources.converted_layers:
        return []
    return [
        "Counted by converting the layer alone, without what folds into its neighbours: "
        f"{', '.join(resources.converted_layers)}."
    ]


def board_lines(resources: Resources) -> list[str]:
    """Say whether a model fits the board that was asked about, if any was."""
    if resources.board is None:
        return []
    memory = board(resources.board)
    said = "fits" if resources.fits_board else "does not fit"
    return [
        f"The model {said} {resources.board}: {resources.peak_sram_bytes:,} of "
        f"{memory.arena_bytes:,} B of SRAM, {resources.flash_bytes:,} of "
        f"{memory.flash_bytes:,} B of flash, with nothing reserved for the firmware."
    ]


def time_lines(resources: Resources, grid_g_per_kwh: float | None = None) -> list[str]:
    """Say how long an inference takes on a board and what it costs, or why that is not known.

    Args:
        resources: What the model needs.
        grid_g_per_kwh: Grams of CO2 equivalent per kilowatt-hour; None leaves emissions out.
    """
    latency = resources.latency
    if latency is None:
        return []
    if resources.latency_ms is None:
        return [f"Latency is not known: {latency.absent}."]
    error = "error unknown"
    if latency.error_percent is not None:
        error = f"at worst {latency.error_percent:.0f}% off on networks left out of the fit"
    lines = [
        f"Latency on {resources.board}: {format_milliseconds(resources.latency_ms)} at "
        f"{latency.clock_mhz:g} MHz (predicted; speed {latency.origin}, {error}; "
        f"{latency.software})."
    ]
    if resources.energy is None or resources.energy_mj is None:
        return [*lines, f"Energy is not known: no power of {resources.board} is published."]
    lines.append(
        f"Energy per inference: {resources.energy_mj:,.3g} mJ (predicted; power "
        f"{resources.energy.active_mw:g} mW, {resources.energy.origin})."
    )
    if grid_g_per_kwh is not None:
        grams = grams_co2e(resources.energy_mj, A_MILLION, grid_g_per_kwh)
        lines.append(
            f"A million inferences: {grams:,.3g} gCO2e at {grid_g_per_kwh:g} g/kWh, of the grid "
            "alone."
        )
    return lines


def arena_lines(report: Mapping[str, Any]) -> list[str]:
    """Say when the array to reserve exceeds an SRAM budget that the used arena meets.

    Args:
        report: What ``report.json`` of a run or a deployment holds.
    """
    budget_bytes = (report["budget"] or {}).get("sram")
    arena = report["arena"]
    used_bytes, reserved_bytes = arena["counted_bytes"], arena["tensor_arena_bytes"]
    if budget_bytes is None or not used_bytes <= budget_bytes < reserved_bytes:
        return []
    return [
        f"TFLM uses {used_bytes:,} of the budget's {budget_bytes:,} B of SRAM, but "
        f"model_settings.h reserves more: kTensorArenaSize is {reserved_bytes:,} B, because "
        f"planning needs working memory of its own (TFLM allocates in no less than "
        f"{arena['smallest_bytes']:,} B: {arena['counted_for']}) and "
        f"{arena['headroom_percent']}% headroom is added."
    ]
