"""Which groups' channels each layer puts out."""

from __future__ import annotations

from mcuprune.channels.groups import Groups


def groups_put_out(groups: Groups) -> dict[str, tuple[str, ...]]:
    """Return per layer path the names of the groups that its outputs consist of.

    A layer whose outputs hold no channel that is followed has none.
    """
    found: dict[str, dict[str, None]] = {}
    for call in groups.graph.calls:
        held = found.setdefault(call.name, {})
        for key in call.outputs:
            numbers = groups.layouts[key].numbers.tolist()
            held |= dict.fromkeys(groups.names[number] for number in numbers)
    return {layer: tuple(held) for layer, held in found.items()}
