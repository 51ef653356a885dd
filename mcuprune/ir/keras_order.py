"""The order in which the converter emits operators.

The converter visits TensorFlow's graph depth first and compares node names wherever it has a
choice (``GetReversePostOrder`` in tensorflow/core/graph/algorithm.cc). So the order of branches
depends on the layers' names, not on the order in which Keras runs them, and with it what lives
at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mcuprune.ir.draft import Constant, Draft, Value
from mcuprune.ir.keras_graph import LayerCall

# What mcuprune.deployment.convert calls the model's input.
INPUT_NAME = "input"


def converter_order(model_name: str, written: Sequence[tuple[str, Draft]]) -> tuple[Draft, ...]:
    """Sort operators as the converter does.

    Args:
        model_name: Name of the model, which begins the names of all its nodes but the input.
        written: Operators in the order in which Keras runs them, each with the TensorFlow name
            scope of its layer (:func:`scope_names`).

    Returns:
        The operators; each stands after those it reads.
    """
    ranked = [op for _, op in sorted(written, key=lambda pair: pair[0])]
    successors = _successors(ranked)
    # Everything without an input is a start: weights, other constants, the model's input. The
    # largest name is visited first, and what is visited first comes last.
    made = {op.output for op in ranked}
    at_input = [op for op in ranked if any(value not in made for value in op.value_inputs())]
    at_constants = [op for op in ranked if _reads_constant(op)]
    groups = [at_constants, at_input] if model_name > INPUT_NAME else [at_input, at_constants]
    starts = [op for group in groups for op in reversed(group)]
    seen: set[Draft] = set()
    finished = [op for start in starts for op in _finished_from(start, successors, seen)]
    return tuple(reversed(finished))


def _reads_constant(op: Draft) -> bool:
    # TensorFlow passes the axis of a concatenation as a constant too.
    return op.kind == "CONCATENATION" or any(isinstance(x, Constant) for x in op.inputs)


def _successors(ranked: Sequence[Draft]) -> Mapping[Draft, list[Draft]]:
    readers: dict[Value, list[Draft]] = {}
    for op in ranked:
        for value in dict.fromkeys(op.value_inputs()):
            readers.setdefault(value, []).append(op)
    return {op: readers.get(op.output, []) for op in ranked}


def _finished_from(
    start: Draft, successors: Mapping[Draft, list[Draft]], seen: set[Draft]
) -> Iterator[Draft]:
    """Yield unseen operators reached from ``start``, each after all that it leads to."""
    stack = [(start, False)]
    while stack:
        op, is_finished = stack.pop()
        if is_finished:
            yield op
        elif op not in seen:
            seen.add(op)
            stack.append((op, True))
            stack += [(successor, False) for successor in successors[op]]


def scope_names(calls: Sequence[LayerCall]) -> list[str]:
    """Return the TensorFlow name scope of each layer call, ending in a slash.

    Keras opens a layer's scope twice, to build the layer and to call it, and TensorFlow appends
    the first free number to a name that is taken.
    """
    taken: dict[str, int] = {}
    names = []
    for call in calls:
        _free_name(call.layer.name, taken)
        names.append(_free_name(call.layer.name, taken) + "/")
    return names


def _free_name(name: str, taken: dict[str, int]) -> str:
    """Return a free name and take it, as ``tf.Graph.unique_name`` does."""
    number = taken.get(name.lower(), 0)
    taken[name.lower()] = number + 1
    if not number:
        return name
    while f"{name.lower()}_{number}" in taken:
        number += 1
    taken[f"{name.lower()}_{number}"] = 1
    return f"{name}_{number}"
