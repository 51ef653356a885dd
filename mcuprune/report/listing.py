"""Lists as tables: boards, recipes, coupling groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.boards import Board
from mcuprune.channels.groups import Group


def boards_table(boards: Iterable[Board]) -> Table:
    """Return a table of boards: core, clock, memories."""
    table = Table(box=SIMPLE, caption="KiB; arena: largest RAM without gaps in its addresses")
    for heading in ("board", "core"):
        table.add_column(heading, no_wrap=True)
    for heading in ("MHz", "SRAM", "arena", "flash"):
        table.add_column(heading, justify="right", no_wrap=True)
    for board in boards:
        table.add_row(
            board.name,
            board.core,
            str(board.clock_mhz),
            _kib(board.sram_bytes),
            _kib(board.arena_bytes),
            _kib(board.flash_bytes),
        )
    return table


def recipes_table(titles: Mapping[str, str]) -> Table:
    """Return a table of recipes and their titles."""
    table = Table("recipe", "what it does", box=SIMPLE, caption="mcuprune run RECIPE")
    for name, title in titles.items():
        table.add_row(name, title)
    return table


def groups_table(groups: Iterable[Group]) -> Table:
    """Return a table of coupling groups: width, layers, and why a group is frozen."""
    table = Table("group", box=SIMPLE)
    table.add_column("width", justify="right")
    for heading in ("made by", "read by", "prunable"):
        table.add_column(heading)
    for group in groups:
        table.add_row(
            group.name,
            str(group.width),
            ", ".join(group.producers),
            ", ".join(group.consumers),
            "yes" if group.frozen is None else f"no: {group.frozen}",
        )
    return table


def _kib(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f}"
