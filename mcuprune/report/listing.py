"""Lists as tables: boards, recipes, coupling groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from mcuprune.boards import Board
from mcuprune.cost.fitting import BoardFit
from mcuprune.units import format_milliseconds

if TYPE_CHECKING:
    from mcuprune.channels.worth import ChannelWorth
    from mcuprune.report.overview import GroupEntry, GroupOverview

# Layers named per group and role; the JSON names all.
MOST_NAMES = 5


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


def fitting_table(fits: Iterable[BoardFit]) -> Table:
    """Return a table of the boards that hold a model: what they have left, how long it takes."""
    table = Table(
        box=SIMPLE,
        title="Boards that hold it",
        title_justify="left",
        caption="latency: predicted, with the board's usual runtime; ?: not known",
    )
    table.add_column("board", no_wrap=True)
    for heading in ("arena B", "SRAM left B", "flash left B", "latency"):
        table.add_column(heading, justify="right", no_wrap=True)
    for fit in fits:
        table.add_row(
            fit.name,
            f"{fit.arena_bytes:,}",
            f"{fit.spare_sram_bytes:,}",
            f"{fit.spare_flash_bytes:,}",
            "?" if fit.latency_ms is None else format_milliseconds(fit.latency_ms),
        )
    return table


def recipes_table(titles: Mapping[str, str]) -> Table:
    """Return a table of recipes and their titles."""
    table = Table("recipe", "what it does", box=SIMPLE, caption="mcuprune run RECIPE")
    for name, title in titles.items():
        table.add_row(name, title)
    return table


def groups_table(overview: GroupOverview) -> Table:
    """Return a table of coupling groups: width, worth of a channel, layers, what freezes it."""
    table = Table(box=SIMPLE, caption="SRAM, flash, MACs: what one channel is worth (predicted)")
    table.add_column("group", overflow="fold")
    for heading in ("width", "SRAM B", "flash B", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("layers", overflow="fold")
    for group in overview.groups.values():
        table.add_row(group.name, str(group.width), *worth_cells(group.worth), _layers(group))
    return table


def groups_lines(overview: GroupOverview) -> list[str]:
    """Return what is said below the table: shares that can be pruned, frozen layers."""
    lines = [
        f"Can be pruned: {overview.channels} of channels, {overview.parameters} of parameters."
    ]
    unknown = [g.worth_absent for g in overview.prunable if g.worth_absent]
    lines += [f"No worth of a channel: {reason}" for reason in dict.fromkeys(unknown)]
    if any(group.worth and not group.worth.in_sram_peak for group in overview.prunable):
        lines.append("* not in memory at the SRAM peak; the rest is the arena's tail")
    if overview.frozen_layers:
        lines.append("Frozen layers:")
    lines += [f"  {one.name} ({one.kind}): {one.reason}" for one in overview.frozen_layers]
    return lines


def worth_cells(worth: ChannelWorth | None) -> tuple[str, str, str]:
    """Write what a channel is worth: bytes of SRAM, of flash, MACs; ``*`` where no peak is."""
    if worth is None:
        return "-", "-", "-"
    mark = "" if worth.in_sram_peak else "*"
    return (
        f"{mark}{worth.sram_bytes_per_channel:,}",
        f"{worth.flash_bytes_per_channel:,}",
        f"{worth.macs_per_channel:,}",
    )


def _layers(group: GroupEntry) -> str:
    parts = {
        "made by": group.producers,
        "passed on by": group.pass_through,
        "read by": group.consumers,
    }
    told = [f"{what} {_some(names)}" for what, names in parts.items() if names]
    return "; ".join(told if group.frozen is None else [*told, f"frozen: {group.frozen}"])


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _kib(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f}"
