"""Finds the coupling groups of a Keras model: one walk over its layer calls."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.channels import (  # noqa: F401 (they register rules)
    channelwise_rules,
    merge_rules,
    normalization_rules,
    shape_rules,
    weight_rules,
)
from mcuprune.channels.coupling import Coupling, equal_occurrence
from mcuprune.channels.effect import RULES, Effect, Tie
from mcuprune.channels.groups import IS_OUTPUT, Group, Groups, LayerChannels, mapped
from mcuprune.channels.layout import IntArray, Layout
from mcuprune.ir.keras_graph import LayerCall, LayerGraph, layer_graph


def coupling_groups(model: Any) -> Groups:
    """Find the coupling groups of a model.

    Args:
        model: A built functional or Sequential ``keras.Model``, nested models included.

    Raises:
        UnsupportedModelError: The model is subclassed, unbuilt or from tf_keras.
    """
    return _Analysis(layer_graph(model)).run()


class _Analysis:
    """Asks each layer's rule what it does to channels, and keeps account."""

    def __init__(self, graph: LayerGraph) -> None:
        self._graph = graph
        self._coupling = Coupling()
        self._layouts: dict[str, Layout] = {}
        self._first: dict[str, tuple[tuple[Layout, ...], Effect]] = {}
        self._nodes: dict[str, list[Any]] = collections.defaultdict(list)
        self._call: LayerCall

    def run(self) -> Groups:
        for key in self._graph.inputs:
            self._layouts[key] = Layout.fixed(_channels(self._graph.shapes[key]))
        for call in self._graph.calls:
            self._visit(call)
        for key in self._graph.outputs:
            self.freeze(self._layouts[key], IS_OUTPUT)
        return self._result()

    def _visit(self, call: LayerCall) -> None:
        self._call = call
        self._nodes[call.name].append(call.node)
        inputs = tuple(self._layouts[key] for key in call.inputs)
        effect = self._effect(call, inputs)
        self._layouts |= dict(zip(call.outputs, effect.outputs, strict=True))

    def _effect(self, call: LayerCall, inputs: tuple[Layout, ...]) -> Effect:
        known = self._first.get(call.name)
        if known is not None and known[1].is_bound:
            for old, new in zip(known[0], inputs, strict=True):
                self.tie(old, new)
            return known[1]
        effect = self._asked(call, inputs)
        self._first[call.name] = (inputs, effect)
        return effect

    def _asked(self, call: LayerCall, inputs: tuple[Layout, ...]) -> Effect:
        known = RULES.find(call.layer)
        if known is None:
            return self._frozen(inputs, f"{call.name} ({call.kind}) has no channel rule")
        if getattr(call.layer, "data_format", None) == "channels_first":
            return self._frozen(inputs, f"{call.name} ({call.kind}) keeps channels first")
        return known(call, inputs, self)

    def _frozen(self, inputs: tuple[Layout, ...], reason: str) -> Effect:
        for layout in inputs:
            self.freeze(layout, reason)
        shapes = [self.shape(key) for key in self._call.outputs]
        return Effect(tuple(Layout.fixed(_channels(shape)) for shape in shapes))

    def shape(self, key: str) -> tuple[int | None, ...]:
        return self._graph.shapes[key]

    def new_group(self, width: int) -> Layout:
        return Layout(self._coupling.add(self._call.name, width))

    def freeze(self, layout: Layout, reason: str) -> None:
        self._coupling.freeze(layout.channels, reason)

    def tie(self, layout: Layout, other: Layout) -> None:
        if layout.size != other.size:
            reason = f"{self._call.name} joins {layout.size} channels and {other.size}"
            self.freeze(layout, reason)
            self.freeze(other, reason)
            return
        reason = f"{self._call.name} ties it to channels that are fixed"
        self._coupling.tie(layout.channels, other.channels, reason)

    def classes_after(self, ties: Sequence[Tie], among: Layout) -> int:
        pairs = [(a.channels, b.channels) for a, b in ties]
        return self._coupling.classes_after(pairs, among.channels)

    def couple(self, layouts: Sequence[Layout]) -> Layout:
        widest = max(layouts, key=lambda layout: layout.size)
        for layout in layouts:
            if layout.size == 1 and widest.size > 1:
                self.freeze(layout, f"{self._call.name} spreads it over all channels")
            elif layout is not widest:
                self.tie(widest, layout)
        return widest

    def _result(self) -> Groups:
        members = equal_occurrence(
            self._coupling.classes(),
            [layout.channels for layout in self._layouts.values()],
            self._coupling.reasons(),
        )
        numbers = self._numbers(members)
        layouts = {key: layout.renumbered(numbers) for key, layout in self._layouts.items()}
        layers = {
            name: LayerChannels(
                self._graph.layers[name],
                mapped(effect, lambda layout: layout.renumbered(numbers)),
                tuple(self._nodes[name]),
            )
            for name, (_, effect) in self._first.items()
            if effect.is_bound
        }
        return Groups(self._groups(members, layers, layouts), layers, layouts, self._graph)

    def _numbers(self, members: Mapping[int, Sequence[int]]) -> IntArray:
        """Return each channel's final number: groups one after the other."""
        order = [one for group in members.values() for one in group]
        final = np.full(len(self._coupling.classes()), -1, dtype=np.intp)
        final[order] = np.arange(len(order))
        return final[self._coupling.classes()]

    def _groups(
        self,
        members: Mapping[int, Sequence[int]],
        layers: Mapping[str, LayerChannels],
        layouts: Mapping[str, Layout],
    ) -> dict[str, Group]:
        makers, reasons = self._coupling.makers(), self._coupling.reasons()
        of_channel = np.repeat(np.arange(len(members)), [len(m) for m in members.values()])
        producers = self._producers(members, makers)
        consumers = _holders(of_channel, {n: _mixed(one.effect) for n, one in layers.items()})
        touched: dict[str, list[Layout]] = collections.defaultdict(list)
        for call in self._graph.calls:
            touched[call.name] += [layouts[key] for key in (*call.inputs, *call.outputs)]
        holders = _holders(of_channel, touched)
        groups: dict[str, Group] = {}
        for index, (leader, channels) in enumerate(members.items()):
            name = _free_name(makers[leader], groups)
            groups[name] = Group(
                name=name,
                width=len(channels),
                producers=producers[index],
                consumers=consumers[index],
                members=holders[index],
                frozen=reasons.get(leader),
            )
        return groups

    def _producers(
        self, members: Mapping[int, Sequence[int]], makers: Sequence[str]
    ) -> list[tuple[str, ...]]:
        classes = self._coupling.classes()
        made_by: dict[int, dict[str, None]] = collections.defaultdict(dict)
        for maker, one in zip(makers, classes.tolist(), strict=True):
            made_by[one][maker] = None
        return [
            tuple(dict.fromkeys(m for one in channels for m in made_by[one]))
            for channels in members.values()
        ]


def _channels(shape: tuple[int | None, ...]) -> int:
    """Return the length of the last axis, 1 where there is none or it is unknown."""
    return (shape[-1] or 1) if len(shape) > 1 else 1


def _mixed(effect: Effect) -> list[Layout]:
    mixed = [gate.layout for gate in effect.gates]
    return mixed if effect.statistics is None else [*mixed, effect.statistics]


def _holders(
    of_channel: IntArray, layouts: Mapping[str, Iterable[Layout]]
) -> dict[int, tuple[str, ...]]:
    """Return per group the names whose layouts hold its channels."""
    found: dict[int, dict[str, None]] = collections.defaultdict(dict)
    for name, given in layouts.items():
        for layout in given:
            for group in np.unique(of_channel[layout.numbers]).tolist():
                found[group][name] = None
    return collections.defaultdict(tuple, {group: tuple(names) for group, names in found.items()})


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"
