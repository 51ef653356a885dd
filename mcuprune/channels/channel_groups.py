"""Layers that divide channels into groups of equal size: which channels have to go together.

Either whole groups go, or as many channels go from every group: those at the same places of their
groups. Whichever leaves finer steps is chosen, given what is tied already.
"""

from __future__ import annotations

from mcuprune.channels.effect import Coupler, Tie
from mcuprune.channels.layout import Layout


def whole_groups(layout: Layout, groups: int) -> Tie:
    """Let each group's channels go together."""
    per_group = layout.size // groups
    return layout, layout.part(None, None, per_group).repeated(per_group)


def same_places(layout: Layout, groups: int) -> Tie:
    """Let the channels go together that stand at the same place of their groups."""
    return layout, layout.part(0, layout.size // groups).tiled(groups)


def drops_whole_groups(layout: Layout, groups: int, coupler: Coupler) -> bool:
    """Return whether dropping whole groups leaves finer steps than thinning every group."""
    whole = coupler.classes_after([whole_groups(layout, groups)], layout)
    return whole >= coupler.classes_after([same_places(layout, groups)], layout)
