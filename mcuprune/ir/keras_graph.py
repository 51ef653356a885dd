"""A functional or Sequential Keras model as a flat list of layer calls, nested models inlined.

Both readers of Keras models start here: the IR's front door and the coupling-group analysis.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcuprune.ir.keras_models import functional, inlined


class TensorKey(str):
    """Name of a tensor: path of the layer that makes it, number of the call, number of the output.

    Keys are stable: the same model, rebuilt from its config, has the same ones.
    """

    __slots__ = ()

    @property
    def layer(self) -> str:
        """Path of the layer."""
        return self.rpartition("/")[0]


@dataclasses.dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        name: Path of the layer: its name, after the names of the nested models that hold it
            (``"encoder/conv"``). Each layer has one path.
        layer: The ``keras.Layer`` or operation (``keras.Operation``).
        arguments: Positional arguments as given, with keys in the place of tensors.
        keywords: Keyword arguments likewise.
        inputs: Keys of the tensors it reads, in call order.
        outputs: Keys of the tensors it makes.
        node: Keras's record of the call.
    """

    name: str
    layer: Any
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    inputs: tuple[TensorKey, ...]
    outputs: tuple[TensorKey, ...]
    node: Any = dataclasses.field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """Name of the class that says what the layer does: see :func:`layer_class`."""
        return layer_class(self.layer).__name__

    @property
    def operands(self) -> tuple[Any, ...]:
        """Positional arguments in order, lists opened: tensor keys and constants."""
        return tuple(_opened(self.arguments))

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments that are no tensors."""
        return {n: v for n, v in self.keywords.items() if not isinstance(v, TensorKey)}


@dataclasses.dataclass(frozen=True)
class LayerGraph:
    """Layer calls in execution order.

    Attributes:
        name: Name of the model.
        calls: In the order in which the model runs them; input layers excluded.
        inputs: Keys of the model's inputs.
        outputs: Keys of the model's outputs.
        shapes: Shape per tensor key, batch first (None).
        tensors: The ``KerasTensor`` objects behind each key. A nested model that is called twice
            has tensors of its own, which stand behind two keys.
        nested: The nested models, each with Keras's record of its call, once per call.
    """

    name: str
    calls: tuple[LayerCall, ...]
    inputs: tuple[TensorKey, ...]
    outputs: tuple[TensorKey, ...]
    shapes: Mapping[str, tuple[int | None, ...]]
    tensors: Mapping[str, tuple[Any, ...]] = dataclasses.field(compare=False, repr=False)
    nested: tuple[tuple[Any, Any], ...] = dataclasses.field(compare=False, repr=False)

    @property
    def layers(self) -> dict[str, Any]:
        """The layers by path, in the order of their first calls."""
        return {call.name: call.layer for call in self.calls}

    def consumers(self, key: str) -> list[LayerCall]:
        """Return the calls that read tensor ``key``."""
        return [call for call in self.calls if key in call.inputs]

    def producer(self, key: str) -> LayerCall | None:
        """Return the call that makes tensor ``key``; None for a model input."""
        return next((call for call in self.calls if key in call.outputs), None)


def layer_class(layer: Any) -> type:
    """Return the class that says what a layer does.

    That is the layer's own class, except where this one only changes how the layer is made or
    saved: a class without ``call`` and ``build`` of its own does what its base does.
    """
    kind: type = getattr(type(layer), "_mcuprune_base", type(layer))
    while not is_keras_class(kind) and not {"call", "build"} & set(vars(kind)):
        kind = kind.__mro__[1]
    return kind


def is_keras_class(kind: type) -> bool:
    """Return whether a class is one of Keras's own (or none of a layer's at all)."""
    return kind.__module__.partition(".")[0] in ("keras", "builtins")


def layer_graph(model: Any) -> LayerGraph:
    """Read the layer calls of a built functional or Sequential model.

    Nested functional and Sequential models are inlined. A nested subclassed model counts as one
    layer.

    Raises:
        UnsupportedModelError: The model itself is of another form.
    """
    return _Walk().read(model)


class _Walk:
    """Collects the calls of a model and of the models in it."""

    def __init__(self) -> None:
        self._calls: list[LayerCall] = []
        self._paths: dict[int, str] = {}
        self._count: collections.Counter[str] = collections.Counter()
        self._tensors: dict[TensorKey, list[Any]] = {}
        self._nested: list[tuple[Any, Any]] = []

    def read(self, model: Any) -> LayerGraph:
        net = functional(model)
        keys = {id(t): self._remember(TensorKey(f"{_maker(t)}/0:0"), t) for t in net.inputs}
        outputs = self._enter(net, "", keys)
        return LayerGraph(
            name=model.name,
            calls=tuple(self._calls),
            inputs=tuple(keys[id(t)] for t in net.inputs),
            outputs=outputs,
            shapes={key: tuple(found[0].shape) for key, found in self._tensors.items()},
            tensors={key: tuple(found) for key, found in self._tensors.items()},
            nested=tuple(self._nested),
        )

    def _enter(self, net: Any, prefix: str, keys: dict[int, TensorKey]) -> tuple[TensorKey, ...]:
        """Take in one model's calls.

        Args:
            net: The functional model.
            prefix: Path of the model, ending in a slash unless empty.
            keys: Keys of its inputs by the tensors' ``id``; filled with those of its other tensors.

        Returns:
            The keys of its outputs.
        """
        for depth in sorted(net._nodes_by_depth, reverse=True):
            for node in net._nodes_by_depth[depth]:
                if not node.is_input:
                    self._visit(node, prefix, keys)
        return tuple(keys[id(t)] for t in net.outputs)

    def _visit(self, node: Any, prefix: str, keys: dict[int, TensorKey]) -> None:
        inner = inlined(node.operation)
        if inner is not None and len(inner.inputs) == len(node.input_tensors):
            self._nested.append((node.operation, node))
            given = [keys[id(t)] for t in node.input_tensors]
            bound = {id(t): self._remember(k, t) for t, k in zip(inner.inputs, given, strict=True)}
            made = self._enter(inner, f"{prefix}{node.operation.name}/", bound)
        else:
            made = self._call(node, prefix, keys)
        for tensor, key in zip(node.outputs, made, strict=True):
            keys[id(tensor)] = self._remember(key, tensor)

    def _call(self, node: Any, prefix: str, keys: Mapping[int, TensorKey]) -> tuple[TensorKey, ...]:
        layer = node.operation
        name = self._paths.setdefault(id(layer), f"{prefix}{layer.name}")
        number, self._count[name] = self._count[name], self._count[name] + 1
        outputs = tuple(TensorKey(f"{name}/{number}:{i}") for i in range(len(node.outputs)))
        self._calls.append(
            LayerCall(
                name=name,
                layer=layer,
                arguments=_with_keys(node.arguments.args, keys),
                keywords=_with_keys(node.arguments.kwargs, keys),
                inputs=tuple(keys[id(t)] for t in node.input_tensors),
                outputs=outputs,
                node=node,
            )
        )
        return outputs

    def _remember(self, key: TensorKey, tensor: Any) -> TensorKey:
        behind = self._tensors.setdefault(key, [])
        if not any(known is tensor for known in behind):
            behind.append(tensor)
        return key


def _maker(tensor: Any) -> str:
    return str(tensor._keras_history.operation.name)


def _with_keys(arguments: Any, keys: Mapping[int, TensorKey]) -> Any:
    """Return arguments of a call with keys in the place of tensors."""
    import keras

    def key(value: Any) -> Any:
        return keys[id(value)] if isinstance(value, keras.KerasTensor) else value

    return keras.tree.map_structure(key, arguments)


def _opened(arguments: Sequence[Any]) -> Iterator[Any]:
    for argument in arguments:
        if isinstance(argument, list | tuple):
            yield from _opened(argument)
        else:
            yield argument
