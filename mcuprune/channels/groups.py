"""Finds the coupling groups of a Keras model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mcuprune.channels.layout import Layout, Segment
from mcuprune.channels.rules import RULES, ConfigSize, Effect, WeightAxis, unknown_layer
from mcuprune.ir.graph import Dim
from mcuprune.ir.keras_graph import LayerCall, LayerGraph, layer_graph


@dataclasses.dataclass(frozen=True)
class Group:
    """Channels of several layers that live or die together.

    Attributes:
        name: Name of the first layer that makes them.
        width: Number of channels.
        producers: Layers that make these channels, in execution order.
        consumers: Layers that mix them, in execution order.
        frozen: Why the group cannot be pruned; None if it can.
    """

    name: str
    width: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    frozen: str | None = None


@dataclasses.dataclass(frozen=True)
class LayerChannels:
    """How one layer's weights and config follow the groups.

    Attributes:
        axes: Weight axes to slice.
        gates: Axes along which the layer mixes its input's channels.
        sizes: Config entries that follow.
    """

    axes: tuple[WeightAxis, ...]
    gates: tuple[WeightAxis, ...]
    sizes: tuple[ConfigSize, ...]


@dataclasses.dataclass(frozen=True)
class Groups:
    """The coupling groups of a model.

    Attributes:
        groups: All groups by name, in execution order.
        layers: Per layer name, how its weights follow the groups.
        layouts: Per tensor key, the layout of its last axis.
    """

    groups: Mapping[str, Group]
    layers: Mapping[str, LayerChannels]
    layouts: Mapping[str, Layout]

    @property
    def prunable(self) -> tuple[Group, ...]:
        """The groups that can lose channels."""
        return tuple(g for g in self.groups.values() if g.frozen is None and g.width > 1)

    def widths(self) -> dict[str, int]:
        """Return the present width of every group."""
        return {name: group.width for name, group in self.groups.items()}

    def dims(self) -> dict[str, Dim]:
        """Return the last dimension of every tensor as a function of the widths.

        Tensors that no group owns are left out. This is what
        ``ir.from_keras.graph_from_keras`` takes as ``channels``.
        """
        return {key: layout.dim() for key, layout in self.layouts.items() if layout.groups}


def coupling_groups(model: Any) -> Groups:
    """Find the coupling groups of a model.

    Args:
        model: A built functional or Sequential ``keras.Model``.

    Raises:
        UnsupportedModelError: The model is subclassed, unbuilt, nested or from tf_keras.
    """
    return _Analysis(layer_graph(model)).run()


@dataclasses.dataclass
class _Draft:
    width: int
    producers: list[str]
    parent: str | None = None
    frozen: str | None = None


class _Analysis:
    """Walks the layer calls once; groups are merged with union-find on the way."""

    def __init__(self, graph: LayerGraph) -> None:
        self._graph = graph
        self._drafts: dict[str, _Draft] = {}
        self._layouts: dict[str, Layout] = {}
        self._first: dict[str, tuple[tuple[Layout, ...], Effect]] = {}
        self._layer = ""

    def run(self) -> Groups:
        for key in self._graph.inputs:
            self._layouts[key] = Layout.fixed(self._graph.shapes[key][-1] or 1)
        for call in self._graph.calls:
            self._visit(call)
        for key in self._graph.outputs:
            self.freeze(self._layouts[key], "it is an output of the model")
        return self._result()

    def _visit(self, call: LayerCall) -> None:
        self._layer = call.layer.name
        inputs = tuple(self._layouts[key] for key in call.inputs)
        effect = self._effect(call, inputs)
        for key in call.outputs:
            self._layouts[key] = effect.output

    def _effect(self, call: LayerCall, inputs: tuple[Layout, ...]) -> Effect:
        if self._layer in self._first:
            return self._again(inputs)
        known = RULES.known.get(call.kind, unknown_layer)
        effect = known(call, inputs, self)
        self._first[self._layer] = (inputs, effect)
        return effect

    def _again(self, inputs: tuple[Layout, ...]) -> Effect:
        """Tie a shared layer's later inputs to its first ones."""
        before, effect = self._first[self._layer]
        for old, new in zip(before, inputs, strict=True):
            self.couple([old, new])
        return effect

    def shape(self, key: str) -> tuple[int | None, ...]:
        return self._graph.shapes[key]

    def new_group(self, width: int) -> Layout:
        self._drafts[self._layer] = _Draft(width, [self._layer])
        return Layout((Segment(self._layer, width),))

    def freeze(self, layout: Layout, reason: str) -> None:
        for name in layout.groups:
            draft = self._drafts[self._root(name)]
            draft.frozen = draft.frozen or reason

    def couple(self, layouts: Sequence[Layout]) -> Layout:
        widest = max(layouts, key=lambda layout: layout.size)
        for layout in layouts:
            if layout is widest:
                continue
            if layout.size == 1 and widest.size > 1:
                self.freeze(layout, f"{self._layer} spreads it over all channels")
            else:
                self._tie(widest, layout)
        return widest

    def _tie(self, a: Layout, b: Layout) -> None:
        if [(s.width, s.repeat) for s in a.segments] != [(s.width, s.repeat) for s in b.segments]:
            for layout in (a, b):
                self.freeze(layout, f"{self._layer} joins tensors of different make-up")
            return
        for left, right in zip(a.segments, b.segments, strict=True):
            if left.group is None or right.group is None:
                for layout in (Layout((left,)), Layout((right,))):
                    self.freeze(layout, f"{self._layer} ties it to channels that are fixed")
            else:
                self._unite(left.group, right.group)

    def _unite(self, a: str, b: str) -> None:
        first, second = self._root(a), self._root(b)
        if first == second:
            return
        if list(self._drafts).index(second) < list(self._drafts).index(first):
            first, second = second, first
        kept, merged = self._drafts[first], self._drafts[second]
        merged.parent = first
        kept.producers = sorted({*kept.producers, *merged.producers}, key=self._order)
        kept.frozen = kept.frozen or merged.frozen

    def _order(self, layer: str) -> int:
        return next(i for i, call in enumerate(self._graph.calls) if call.layer.name == layer)

    def _root(self, name: str) -> str:
        parent = self._drafts[name].parent
        return name if parent is None else self._root(parent)

    def _result(self) -> Groups:
        names = {name: self._root(name) for name in self._drafts}
        layers = {
            layer: _renamed(effect, names)
            for layer, (_, effect) in self._first.items()
            if effect.axes or effect.sizes
        }
        return Groups(
            groups={n: self._group(n, layers) for n in self._drafts if names[n] == n},
            layers=layers,
            layouts={key: layout.renamed(names) for key, layout in self._layouts.items()},
        )

    def _group(self, name: str, layers: Mapping[str, LayerChannels]) -> Group:
        draft = self._drafts[name]
        consumers = tuple(
            layer
            for layer, channels in layers.items()
            if any(name in gate.layout.groups for gate in channels.gates)
        )
        return Group(name, draft.width, tuple(draft.producers), consumers, draft.frozen)


def _renamed(effect: Effect, names: Mapping[str, str]) -> LayerChannels:
    def axes(given: tuple[WeightAxis, ...]) -> tuple[WeightAxis, ...]:
        return tuple(dataclasses.replace(a, layout=a.layout.renamed(names)) for a in given)

    sizes = tuple(dataclasses.replace(s, layout=s.layout.renamed(names)) for s in effect.sizes)
    return LayerChannels(axes(effect.axes), axes(effect.gates), sizes)
