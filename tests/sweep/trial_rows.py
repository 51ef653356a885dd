"""Trials made by hand."""

from __future__ import annotations

from mcuprune.sweep.row import FINISHED, Row


def finished(number, accuracy, sram, flash=10_000, macs=1_000, **more):
    """Return a finished trial."""
    given = {"board": None, "seed": 0, "budget_sram_bytes": sram, **more}
    return Row(
        number,
        status=FINISHED,
        accuracy=accuracy,
        peak_sram_bytes=sram,
        flash_bytes=flash,
        macs=macs,
        float_accuracy=accuracy,
        fits=1,
        folder=f"trials/{number:04d}",
        **given,
    )
