"""What generated C takes, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.units import format_bytes


def code_table(report: Mapping[str, Any]) -> Table:
    """Return memories and kernels of generated C.

    Args:
        report: What ``mcuprune codegen --json`` prints.
    """
    table = Table("generated C", box=SIMPLE)
    table.add_column("", justify="right")
    table.add_column("origin")
    table.add_row("arena (RAM)", format_bytes(report["arena_bytes"]), "planned")
    table.add_row("constants (flash)", format_bytes(report["weights_bytes"]), "counted")
    table.add_row("kernels", str(len(report["kernels"])), ", ".join(report["kernels"]))
    return table


def code_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what was written and how it is called."""
    sources = " ".join(report["source_files"])
    return [
        f"Written to {report['out']}: compile {sources} with -O2 and include {report['name']}.h.",
        f"Call: {report['prototype']}",
    ]
