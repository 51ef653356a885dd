"""The order in which the converter emits operators.

The converter visits TensorFlow's graph depth first from its sources and compares names where it
has a choice (``GetReversePostOrder`` in tensorflow/core/graph/algorithm.cc), so that the order of
branches depends on the layers' names, not on the order in which Keras runs them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcuprune.ir.keras_graph import LayerCall, LayerGraph

# Layers whose TensorFlow operators read no constant.
_WITHOUT_CONSTANTS = frozenset({
    "Activation", "Add", "AveragePooling2D", "Dropout", "Identity", "MaxPooling2D", "Maximum",
    "Minimum", "Multiply", "ReLU", "Relu", "Relu6", "Sigmoid", "Silu", "Softmax", "Subtract",
    "Tanh",
})  # fmt: skip


def converter_order(layers: LayerGraph) -> list[LayerCall]:
    """Return the layer calls in the order of the operators in the file."""
    names = _scope_names(layers)
    ranked = sorted(range(len(layers.calls)), key=lambda i: names[i])
    successors = _successors(layers)
    # Every source is a start; the largest name is visited first and so comes last.
    starts = [i for i in ranked if layers.calls[i].kind not in _WITHOUT_CONSTANTS]
    first = [i for i in ranked if set(layers.calls[i].inputs) & set(layers.inputs)]
    rank = {call: position for position, call in enumerate(ranked)}
    visited: list[int] = []
    seen: set[int] = set()
    for start in [*reversed(starts), *reversed(first)]:
        visited += _finished_from(start, successors, rank, seen)
    return [layers.calls[i] for i in reversed(visited)]


def _finished_from(
    start: int, successors: list[list[int]], rank: dict[int, int], seen: set[int]
) -> Iterator[int]:
    """Yield calls reached from ``start`` as their visits end."""
    stack = [(start, False)]
    while stack:
        call, is_done = stack.pop()
        if is_done:
            yield call
        elif call not in seen:
            seen.add(call)
            stack.append((call, True))
            stack += [(s, False) for s in sorted(successors[call], key=lambda s: rank[s])]


def _successors(layers: LayerGraph) -> list[list[int]]:
    index = {id(call): i for i, call in enumerate(layers.calls)}
    return [
        [index[id(user)] for key in call.outputs for user in layers.consumers(key)]
        for call in layers.calls
    ]


def _scope_names(layers: LayerGraph) -> list[str]:
    """Return the TensorFlow name scope of each call, ending in a slash.

    Keras opens a layer's scope twice, to build it and to call it; TensorFlow appends the first
    free number to a name that is taken.
    """
    taken: dict[str, int] = {}
    names = []
    for call in layers.calls:
        _unique(call.layer.name, taken)
        names.append(_unique(call.layer.name, taken) + "/")
    return names


def _unique(name: str, taken: dict[str, int]) -> str:
    """Return a free name, as ``tf.Graph.unique_name`` does."""
    number = taken.get(name.lower(), 0)
    taken[name.lower()] = number + 1
    if not number:
        return name
    while f"{name.lower()}_{number}" in taken:
        number += 1
    taken[f"{name.lower()}_{number}"] = 1
    return f"{name}_{number}"
