"""Refuses a budget that not even the narrowest network meets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from mcuprune.budget import RESOURCE_UNITS
from mcuprune.channels.groups import IS_OUTPUT, Groups
from mcuprune.errors import InfeasibleBudgetError
from mcuprune.pruning.controls import GroupControls
from mcuprune.pruning.shipping import Shipping

# How many frozen groups a refusal names.
NAMED = 3


def require_feasible(
    ships: Shipping,
    limits: Mapping[str, int],
    groups: Groups,
    bounds: GroupControls,
    full: Mapping[str, int],
) -> None:
    """Check that the smallest allowed widths meet the limits, with or without a memory plan.

    Args:
        ships: What the network needs.
        groups: Its coupling groups.
        limits: Upper limit per resource.
        bounds: What the user holds pruning to.
        full: Width of each group that may be pruned.

    Raises:
        InfeasibleBudgetError: They do not; names what they need and what may be in the way.
    """
    smallest = narrowest(bounds, full)
    if ships.meets(limits, smallest):
        return
    needed = ships.least(limits, smallest)
    for resource, limit in limits.items():
        if needed[resource] > limit:
            raise InfeasibleBudgetError(
                _impossible(resource, needed[resource], limit, bounds.multiple)
                + _code_note(resource, ships)
                + f" Allow at least that, or start from a smaller network"
                f"{_way_out(ships, limits, bounds, full)}.{_frozen_note(groups)}",
                resource=resource,
                required=needed[resource],
                available=limit,
            )


def narrowest(bounds: GroupControls, full: Mapping[str, int]) -> dict[str, int]:
    """Return the smallest width that each group may take.

    Args:
        bounds: What the user holds pruning to.
        full: Width of each group that may be pruned.
    """
    return {name: bounds.allowed(name, w, w, 1.0).smallest for name, w in full.items()}


def _impossible(resource: str, required: int, limit: int, multiple: int) -> str:
    unit = RESOURCE_UNITS[resource]
    kind = f"smallest multiple of {multiple}" if multiple > 1 else "smallest width"
    return (
        f"the {resource} budget of {limit:,} {unit} cannot be met: with every prunable group "
        f"at its {kind} this network still needs {required:,} {unit}."
    )


def _code_note(resource: str, ships: Shipping) -> str:
    if resource != "flash" or not ships.code_bytes:
        return ""
    return f" {ships.code_bytes:,} B of that are the runtime's code."


def _frozen_note(groups: Groups) -> str:
    """Say of which layers the network's own structure keeps all channels, its outputs aside."""
    frozen = [g for g in groups.groups.values() if g.frozen not in (None, IS_OUTPUT)]
    if not frozen:
        return ""
    named = ", ".join(f"{group.name} ({group.frozen})" for group in frozen[:NAMED])
    more = f" and {len(frozen) - NAMED} more groups" if len(frozen) > NAMED else ""
    return f" All channels stay of: {named}{more}."


def _way_out(
    ships: Shipping, limits: Mapping[str, int], bounds: GroupControls, full: Mapping[str, int]
) -> str:
    """Say which of the user's own controls may be in the way of the budget."""
    finer = dataclasses.replace(bounds, multiple=1)
    if bounds.multiple > 1 and ships.meets(limits, narrowest(finer, full)):
        return "; with round_to=1 this budget can be met"
    held = bounds.excluded or any(floor > 1 for floor in bounds.floors.values())
    return ", or keep fewer channels with exclude and min_channels" if held else ""
