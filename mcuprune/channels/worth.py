"""What one channel of each coupling group is worth in SRAM, flash and MACs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.channels.groups import Groups
from mcuprune.cost.memory import working_sets
from mcuprune.cost.open_costs import Costs, OpenCosts
from mcuprune.ir.dim import Dim
from mcuprune.ir.graph import Graph


@dataclasses.dataclass(frozen=True)
class ChannelWorth:
    """What goes when a group becomes one channel narrower, all else unchanged (predicted).

    The exact difference at the present widths. The next channel can be worth another amount:
    tensors and structures are aligned to 16 bytes, and once another operator holds the peak,
    narrowing this group no longer helps.

    Attributes:
        sram_bytes_per_channel: Bytes of TFLM's arena, head and tail.
        flash_bytes_per_channel: Bytes of the ``.tflite`` file.
        macs_per_channel: Multiply-accumulates per inference.
        in_sram_peak: Whether the group's channels are in memory at the peak. If not, only the
            arena's tail (structures per channel) gets smaller.
    """

    sram_bytes_per_channel: int
    flash_bytes_per_channel: int
    macs_per_channel: int
    in_sram_peak: bool


def channel_worths(graph: Graph, groups: Groups) -> dict[str, ChannelWorth]:
    """Return what one channel of each prunable group is worth.

    Args:
        graph: The model's graph with its widths open (``graph_from_keras(model, groups.dims())``).
        groups: The coupling groups of the model.
    """
    costs, widths = OpenCosts(graph), groups.widths()
    present, at_peak = _needs(costs, widths), _groups_at_peak(graph, costs.at(widths))
    worths = {}
    for group in groups.prunable:
        narrower = _needs(costs, {**widths, group.name: group.width - 1})
        worths[group.name] = ChannelWorth(
            sram_bytes_per_channel=present.sram_bytes - narrower.sram_bytes,
            flash_bytes_per_channel=present.flash_bytes - narrower.flash_bytes,
            macs_per_channel=present.macs - narrower.macs,
            in_sram_peak=group.name in at_peak,
        )
    return worths


@dataclasses.dataclass(frozen=True)
class _Needs:
    sram_bytes: int
    flash_bytes: int
    macs: int


def _needs(costs: OpenCosts, widths: Mapping[str, int]) -> _Needs:
    at = costs.at(widths)
    return _Needs(costs.arena_head(at) + int(at.arena_tail), int(at.flash_bytes), int(at.macs))


def _groups_at_peak(graph: Graph, present: Costs) -> set[str]:
    """Return the groups that the largest working sets depend on."""
    peak = present.working_sets.max(initial=0.0)
    sets = zip(working_sets(graph), present.working_sets, strict=True)
    largest = [size_bytes for size_bytes, now in sets if now == peak]
    return {name for one in largest if isinstance(one, Dim) for name in one.names}
