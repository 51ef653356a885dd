"""The coupling groups of a model with what they are worth, for people and for programs."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Group, Groups
from mcuprune.channels.outputs import groups_put_out
from mcuprune.channels.share import (
    FrozenLayer,
    Share,
    channel_share,
    frozen_layers,
    parameter_share,
)
from mcuprune.channels.worth import ChannelWorth, channel_worths
from mcuprune.cost.resources import PREDICTED
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.keras_graph import layer_class
from mcuprune.ir.read import load_keras
from mcuprune.notebook import html_line, html_table
from mcuprune.report.listing import groups_lines, groups_table, worth_cells

ONE_CHANNEL = "it has one channel"
# Of text that no terminal has set the width of.
COLUMNS = 100


@dataclasses.dataclass(frozen=True)
class GroupEntry:
    """One coupling group.

    Attributes:
        name: Name of the first layer that makes its channels.
        width: Number of channels.
        producers: Layers that make these channels, in execution order.
        pass_through: Layers that hand them on one by one (batch norm, depthwise, activations).
        consumers: Layers that mix them.
        members: All layers that its channels reach, in execution order.
        classes: Class name of each member.
        frozen: Why the group cannot be pruned; None if it can.
        worth: What one channel is worth; None if the group cannot be pruned or its cost is unknown.
        worth_absent: Why ``worth`` is None.
    """

    name: str
    width: int
    producers: tuple[str, ...]
    pass_through: tuple[str, ...]
    consumers: tuple[str, ...]
    members: tuple[str, ...]
    classes: Mapping[str, str]
    frozen: str | None
    worth: ChannelWorth | None
    worth_absent: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the attributes by name, those of ``worth`` among them, null where it is absent."""
        entry = {**vars(self), "classes": dict(self.classes)}
        del entry["worth"]
        absent = dict.fromkeys(field.name for field in dataclasses.fields(ChannelWorth))
        worth = absent if self.worth is None else dataclasses.asdict(self.worth)
        return {**entry, **worth, "provenance": PREDICTED}


@dataclasses.dataclass(frozen=True, repr=False)
class GroupOverview:
    """The coupling groups of a model. Printed, it is a table.

    Attributes:
        model: Name of the model.
        groups: The groups by name, in execution order.
        channels: How many of the channels can be pruned.
        parameters: How many of the weights make or read a channel that can be pruned.
        frozen_layers: Layers whose output channels cannot be pruned, each with its class and why.
    """

    model: str
    groups: Mapping[str, GroupEntry]
    channels: Share
    parameters: Share
    frozen_layers: tuple[FrozenLayer, ...]

    @property
    def prunable(self) -> tuple[GroupEntry, ...]:
        """The groups that can lose channels."""
        return tuple(g for g in self.groups.values() if g.frozen is None and g.width > 1)

    def widths(self) -> dict[str, int]:
        """Return the present width of every group."""
        return {name: group.width for name, group in self.groups.items()}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the groups as JSON types."""
        return [group.to_json() for group in self.groups.values()]

    def _repr_html_(self) -> str:
        rows = [
            (group.name, str(group.width), *worth_cells(group.worth), ", ".join(group.producers))
            for group in self.groups.values()
        ]
        headings = ("group", "width", "SRAM B", "flash B", "MACs", "made by")
        table = html_table(headings, rows, title=self.model, numbers=[1, 2, 3, 4])
        return table + "".join(html_line(line) for line in groups_lines(self))

    def __repr__(self) -> str:
        text = io.StringIO()
        console = Console(file=text, width=COLUMNS, markup=False)
        for item in (groups_table(self), *groups_lines(self)):
            console.print(item)
        return text.getvalue().rstrip()


def group_overview(model: Any) -> GroupOverview:
    """Show which channels of a model live or die together, and what one of each is worth.

    Args:
        model: A built functional or Sequential ``keras.Model``, nested models included, or the path
            of a ``.keras`` or ``.h5`` file.

    Raises:
        InputError: The file is missing, or Keras cannot load it.
        UnsupportedModelError: The model is subclassed, unbuilt or from tf_keras.
    """
    loaded = load_keras(model) if isinstance(model, str | Path) else model
    groups = coupling_groups(loaded)
    worths, absent = _worths(loaded, groups)
    put_out = groups_put_out(groups)
    return GroupOverview(
        model=groups.graph.name,
        groups={
            group.name: _entry(group, groups.graph.layers, put_out, worths.get(group.name), absent)
            for group in groups.groups.values()
        },
        channels=channel_share(groups),
        parameters=parameter_share(groups),
        frozen_layers=frozen_layers(groups),
    )


def _worths(model: Any, groups: Groups) -> tuple[dict[str, ChannelWorth], str | None]:
    """Return the worths, or none and why the cost of the model is unknown."""
    try:
        graph = graph_from_keras(model, groups.dims())
    except UnsupportedModelError as error:
        return {}, str(error)
    return channel_worths(graph, groups), None


def _entry(
    group: Group,
    layers: Mapping[str, Any],
    put_out: Mapping[str, Sequence[str]],
    worth: ChannelWorth | None,
    absent: str | None,
) -> GroupEntry:
    mixing = {*group.producers, *group.consumers}
    handing_on = [n for n in group.members if n not in mixing and group.name in put_out[n]]
    return GroupEntry(
        name=group.name,
        width=group.width,
        producers=group.producers,
        pass_through=tuple(handing_on),
        consumers=group.consumers,
        members=group.members,
        classes={name: layer_class(layers[name]).__name__ for name in group.members},
        frozen=group.frozen,
        worth=worth,
        worth_absent=group.frozen or (ONE_CHANNEL if group.width == 1 else absent),
    )
