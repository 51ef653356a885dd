"""The order in which the converter emits operators.

The converter sorts TensorFlow's graph topologically when it imports it: what has become ready last
goes first, and among nodes that become ready together the one whose name comes first. So the order
of branches depends on the layers' names, not on the order in which Keras runs them, and with it
what lives at the same time.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence

from mcuprune.ir.draft import Constant, Draft, Value
from mcuprune.ir.keras_graph import LayerCall

# What mcuprune.deployment.convert calls the model's first input.
INPUT_NAME = "input"


def input_names(count: int) -> list[str]:
    """Return what the converter is told to call a model's inputs."""
    return [INPUT_NAME if number == 0 else f"{INPUT_NAME}_{number}" for number in range(count)]


def reads_inputs_first(model_name: str) -> bool:
    """Tell whether a model's inputs come before its constants: names decide."""
    return model_name > INPUT_NAME


def converter_order(
    model_name: str, inputs: Sequence[Value], written: Sequence[tuple[str, Draft]]
) -> tuple[Draft, ...]:
    """Sort operators as the converter does.

    Args:
        model_name: Name of the model, which begins the names of all its nodes but the input.
        inputs: What the model reads, in its order.
        written: Operators in the order in which Keras runs them, each with the TensorFlow name
            scope of its layer (:func:`scope_names`).

    Returns:
        The operators; each stands after those it reads.
    """
    ranked = [op for _, op in sorted(written, key=lambda pair: pair[0])]
    waiting = _Waiting(ranked)
    # Ready from the start are constants and the model's inputs. The top of the stack goes first.
    constants = [waiting.constants_of(op) for op in reversed(ranked) if _reads_constant(op)]
    given = list(reversed(inputs))
    stack: list[Draft | _Need]
    stack = [*constants, *given] if reads_inputs_first(model_name) else [*given, *constants]
    ordered: list[Draft] = []
    while stack:
        ready = stack.pop()
        if isinstance(ready, Draft):
            ordered.append(ready)
            stack += waiting.release(ready.outputs)
        else:
            stack += waiting.release([ready])
    return tuple(ordered)


# What an operator waits for: a value, or its own constants under this key.
_Need = Value | tuple[str, Draft]


class _Waiting:
    """Counts what each operator still waits for."""

    def __init__(self, ranked: Sequence[Draft]) -> None:
        self._readers: dict[_Need, list[Draft]] = collections.defaultdict(list)
        self._missing: dict[Draft, int] = {}
        for op in ranked:
            needs: list[_Need] = list(dict.fromkeys(op.value_inputs()))
            if _reads_constant(op):
                needs.append(self.constants_of(op))
            self._missing[op] = len(needs)
            for need in needs:
                self._readers[need].append(op)

    def constants_of(self, op: Draft) -> _Need:
        """Return what stands for the constants of an operator."""
        return ("constants", op)

    def release(self, needs: Sequence[_Need]) -> list[Draft]:
        """Return the operators that waited for these alone, the first by name at the end."""
        ready = []
        for op in reversed([reader for need in needs for reader in self._readers[need]]):
            self._missing[op] -= 1
            if self._missing[op] == 0:
                ready.append(op)
        return ready


def _reads_constant(op: Draft) -> bool:
    # TensorFlow passes the axis of a concatenation as a constant too.
    return op.kind == "CONCATENATION" or any(isinstance(x, Constant) for x in op.inputs)


def scope_names(calls: Sequence[LayerCall]) -> list[str]:
    """Return the TensorFlow name scope of each layer call, ending in a slash.

    A nested model has a scope for each of its calls, within which its layers have theirs.
    """
    scopes = _Scopes()
    return [scopes.opened(call.name, _call_number(call)) + "/" for call in calls]


def _call_number(call: LayerCall) -> int:
    """Return which of the layer's calls it is: the number in the keys of its outputs."""
    return int(call.outputs[0].rpartition("/")[2].partition(":")[0])


class _Scopes:
    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._models: dict[tuple[str, int], str] = {}

    def opened(self, path: str, number: int) -> str:
        """Return the scope that is opened for a call of a layer.

        Keras opens it twice, to build the layer and to call it, and TensorFlow appends the first
        free number to a name that is taken.
        """
        parent, _, name = path.rpartition("/")
        within = f"{self._model(parent, number)}/" if parent else ""
        _free_name(within + name, self._taken)
        return _free_name(within + name, self._taken)

    def _model(self, path: str, number: int) -> str:
        if (path, number) not in self._models:
            self._models[path, number] = self.opened(path, number)
        return self._models[path, number]


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
