"""The coupling groups of a model: which channels go together, where they stand, what holds them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcuprune.channels.effect import ConfigSize, Effect, SliceBounds, SplitPoints, WeightAxis
from mcuprune.channels.layout import FIXED, BoolArray, IntArray, Layout
from mcuprune.ir.graph import Dim
from mcuprune.ir.keras_graph import LayerGraph
from mcuprune.notebook import html_table

Keep = Mapping[str, IntArray]
# Why the channels of the model's outputs stay, as every model's do.
IS_OUTPUT = "it is an output of the model"


@dataclasses.dataclass(frozen=True)
class Group:
    """Channels of several layers that live or die together.

    Channel ``i`` of the group is one channel of each of its producers, or several. All channels
    of a group occur equally often in every tensor, so they cost the same.

    Attributes:
        name: Name of the first layer that makes them; with ``#2`` and so on if the layer's
            channels fall into several groups.
        width: Number of channels.
        producers: Layers that make these channels, in execution order.
        consumers: Layers that mix them, in execution order.
        members: All layers that make, pass on or mix them, in execution order.
        frozen: Why the group cannot be pruned; None if it can.
    """

    name: str
    width: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    members: tuple[str, ...] = ()
    frozen: str | None = None


@dataclasses.dataclass(frozen=True)
class LayerChannels:
    """How one layer follows the groups.

    Attributes:
        layer: The Keras layer.
        effect: What it does to channels, in the groups' numbers.
        nodes: Keras's records of its calls.
    """

    layer: Any
    effect: Effect
    nodes: tuple[Any, ...]

    @property
    def axes(self) -> tuple[WeightAxis, ...]:
        """Weight axes to slice."""
        return self.effect.axes

    @property
    def gates(self) -> tuple[WeightAxis, ...]:
        """Axes along which the layer mixes its input's channels."""
        return self.effect.gates

    @property
    def sizes(self) -> tuple[ConfigSize, ...]:
        """Integers of the layer that follow."""
        return self.effect.sizes


@dataclasses.dataclass(frozen=True)
class Groups:
    """The coupling groups of a model.

    The channels of all groups are numbered through: those of the first group come first.

    Attributes:
        groups: All groups by name, in execution order.
        layers: Per layer path, how the layer follows the groups.
        layouts: Per tensor key, what stands along its last axis.
        graph: The layer calls that the groups were found on.
    """

    groups: Mapping[str, Group]
    layers: Mapping[str, LayerChannels]
    layouts: Mapping[str, Layout]
    graph: LayerGraph = dataclasses.field(repr=False)

    @property
    def prunable(self) -> tuple[Group, ...]:
        """The groups that can lose channels."""
        return tuple(g for g in self.groups.values() if g.frozen is None and g.width > 1)

    def _repr_html_(self) -> str:
        rows = [
            (group.name, str(group.width), ", ".join(group.members), group.frozen or "")
            for group in self.groups.values()
        ]
        return html_table(("group", "width", "layers", "frozen"), rows, numbers=[1])

    def widths(self) -> dict[str, int]:
        """Return the present width of every group."""
        return {name: group.width for name, group in self.groups.items()}

    @functools.cached_property
    def slices(self) -> dict[str, slice]:
        """Where each group's channels stand among all, by the group's name."""
        ends = np.cumsum([group.width for group in self.groups.values()]).tolist()
        spans = zip(self.groups, [0, *ends], ends, strict=False)
        return {name: slice(start, end) for name, start, end in spans}

    @functools.cached_property
    def names(self) -> list[str]:
        """Name of each channel's group."""
        return [name for name, group in self.groups.items() for _ in range(group.width)]

    def alive(self, keep: Keep) -> BoolArray:
        """Return for each channel whether it stays.

        Args:
            keep: For each group the indices of the channels that stay, ascending; a group that is
                absent keeps all.

        Raises:
            ValueError: A group would lose all its channels, or is frozen and would lose one.
        """
        alive = np.ones(len(self.names), dtype=np.bool_)
        for name, indices in keep.items():
            group = self.groups[name]
            if len(indices) == 0:
                raise ValueError(f"group {name!r} would lose all its channels; keep at least one")
            if group.frozen and len(indices) < group.width:
                raise ValueError(f"group {name!r} cannot lose channels: {group.frozen}")
            chosen = np.zeros(group.width, dtype=np.bool_)
            chosen[indices] = True
            alive[self.slices[name]] = chosen
        return alive

    def dims(self) -> dict[str, Dim]:
        """Return what depends on the widths, as functions of them.

        That is the last dimension by the tensor's key, dimensions of weights by
        ``"layer.kernel[-2]"`` and integers of layers by ``"layer.groups"``; what no width changes
        is left out. This is what ``ir.from_keras.graph_from_keras``
        takes as ``channels``.
        """
        dims = {key: self.dim(layout) for key, layout in self.layouts.items()}
        for name, channels in self.layers.items():
            for axis in channels.axes:
                dims[f"{name}.{axis.weight}[{axis.axis}]"] = self.dim(axis.layout)
            for size in channels.sizes:
                dims[f"{name}.{size.key}"] = self.dim(size.layout)
        return {key: dim for key, dim in dims.items() if dim.terms}

    def dim(self, layout: Layout) -> Dim:
        """Return the length of a layout as a function of the widths."""
        total = Dim(int((layout.channels == FIXED).sum()))
        present = layout.channels[layout.channels != FIXED]
        counts = np.bincount(present, minlength=len(self.names))
        for name in dict.fromkeys(self.names[number] for number in layout.numbers):
            occurrences = int(counts[self.slices[name]].sum()) // self.groups[name].width
            total = total + Dim.width(name) * occurrences
        return total

    def after(self, alive: BoolArray) -> Groups:
        """Return the groups of the model that a cut has made.

        Args:
            alive: For each channel whether it has stayed.
        """
        numbers = np.where(alive, np.cumsum(alive) - 1, FIXED)

        def shrunk(layout: Layout) -> Layout:
            kept = Layout(layout.channels[layout.positions(alive)])
            return kept.renumbered(numbers)

        widths = {name: int(alive[span].sum()) for name, span in self.slices.items()}
        return dataclasses.replace(
            self,
            groups={n: dataclasses.replace(g, width=widths[n]) for n, g in self.groups.items()},
            layers={
                name: dataclasses.replace(one, effect=after_cut(one.effect, alive, shrunk))
                for name, one in self.layers.items()
            },
            layouts={key: shrunk(layout) for key, layout in self.layouts.items()},
        )


def mapped(effect: Effect, change: Any) -> Effect:
    """Return an effect with every layout replaced.

    Args:
        effect: The effect.
        change: Returns the layout to put in the place of a given one.
    """

    def axes(given: tuple[WeightAxis, ...]) -> tuple[WeightAxis, ...]:
        return tuple(dataclasses.replace(axis, layout=change(axis.layout)) for axis in given)

    def held(part: Any) -> Any:
        return None if part is None else dataclasses.replace(part, layout=change(part.layout))

    return Effect(
        output=tuple(change(layout) for layout in effect.outputs),
        axes=axes(effect.axes),
        gates=axes(effect.gates),
        sizes=tuple(dataclasses.replace(s, layout=change(s.layout)) for s in effect.sizes),
        statistics=None if effect.statistics is None else change(effect.statistics),
        split=held(effect.split),
        bounds=held(effect.bounds),
    )


def after_cut(effect: Effect, alive: BoolArray, change: Any) -> Effect:
    """Return a layer's effect after a cut, with the places of splits and slices moved."""
    after = mapped(effect, change)
    if effect.split is not None and after.split is not None:
        split = dataclasses.replace(after.split, points=points_after(effect.split, alive))
        after = dataclasses.replace(after, split=split)
    if effect.bounds is not None and after.bounds is not None:
        start, stop = bounds_after(effect.bounds, alive)
        bounds = dataclasses.replace(after.bounds, start=start, stop=stop)
        after = dataclasses.replace(after, bounds=bounds)
    return after


def points_after(split: SplitPoints, alive: BoolArray) -> tuple[int, ...]:
    """Return where a split divides what a cut leaves."""
    return tuple(_moved(split.layout, point, alive) for point in split.points)


def bounds_after(bounds: SliceBounds, alive: BoolArray) -> tuple[int, int]:
    """Return the bounds of a slice in what a cut leaves."""
    return _moved(bounds.layout, bounds.start, alive), _moved(bounds.layout, bounds.stop, alive)


def _moved(layout: Layout, position: int, alive: BoolArray) -> int:
    return int(np.searchsorted(layout.positions(alive), position))
