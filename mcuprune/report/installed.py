"""What is installed, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.engines.installed import REQUIRED, Tool


def tools_table(tools: Sequence[Tool]) -> Table:
    """Return a row per package or program, what is missing marked."""
    table = Table("", "version", "used for", box=SIMPLE)
    for tool in tools:
        style = None
        if tool.is_missing:
            style = "red" if tool.need == REQUIRED else "yellow"
        table.add_row(tool.name, tool.version or "missing", tool.purpose, style=style)
    return table


def missing_lines(tools: Sequence[Tool]) -> list[str]:
    """Say how to get what is missing, the required first, equal ways together."""
    ways: dict[tuple[str, str], list[str]] = {}
    for tool in tools:
        if tool.is_missing:
            ways.setdefault((tool.need, tool.hint), []).append(tool.name)
    if not ways:
        return ["Nothing is missing."]
    ordered = sorted(ways.items(), key=lambda item: item[0][0] != REQUIRED)
    return [f"{need}: {', '.join(names)}: {hint}" for (need, hint), names in ordered]
