"""Which groups' channels each layer puts out."""

from __future__ import annotations

from mcuprune.channels.groups import Groups
from mcuprune.ir.graph import Dim


def groups_put_out(groups: Groups) -> dict[str, tuple[str, ...]]:
    """Return per layer path the names of the groups that its outputs consist of.

    A layer whose outputs hold no channel that is followed has none.
    """
    dims = groups.dims()
    found: dict[str, dict[str, None]] = {}
    for call in groups.graph.calls:
        held = found.setdefault(call.name, {})
        for key in call.outputs:
            held |= dict.fromkeys(name for name, _ in dims.get(key, Dim()).terms)
    return {layer: tuple(held) for layer, held in found.items()}
