"""The door from a Keras model to the graph: what the converter will emit, before converting.

The graph is that of a full-int8, batch-1 export with TensorFlow 2.21's converter: the same
operators in the same order, the same tensors. Operators that know no int8 (NEG, SQUARE) stand
in float between DEQUANTIZE and QUANTIZE, as in the file. Widths may be open.

What calibration or training decides is not foreseen: the QUANTIZE that the converter inserts where
a tensor is read by two concatenations, maxima or minima of different ranges, biases that are all
zeros, bytes equal by chance: a constant that shares its scale with a tensor, as a clipping limit
does. The exported file is counted again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir import keras_rules  # noqa: F401 (it registers the rules)
from mcuprune.ir.converted_layer import converted, expanded
from mcuprune.ir.draft import Constant, Draft, Operand, Program, Shape, Value
from mcuprune.ir.graph import Dim, Graph, Operator, Tensor
from mcuprune.ir.keras_folding import fold
from mcuprune.ir.keras_graph import LayerGraph, TensorKey, layer_graph
from mcuprune.ir.keras_order import converter_order, reads_inputs_first, scope_names
from mcuprune.ir.keras_step import RULES, Step
from mcuprune.ir.operator_versions import operator_versions


def graph_from_keras(model: Any, channels: Mapping[str, Dim] | None = None) -> Graph:
    """Read a built functional or Sequential model as the device will execute it.

    Args:
        model: The Keras model; its layers may be gated.
        channels: What depends on open widths (``channels.groups.Groups.dims``): last dimension per
            tensor key (:class:`mcuprune.ir.keras_graph.TensorKey`), after a Flatten pixels times
            channels; dimensions of weights that cannot be told from these, by
            ``"layer.kernel[-2]"``, and integers by ``"layer.groups"``. What is not named keeps its
            int.

    Returns:
        The graph as exported to int8, without data for its constants. With open widths, constants
        that happen to be equal at some widths (shapes, biases of zeros) stay apart.

    Raises:
        UnsupportedModelError: The model is of another form, or a layer has no rule for its class or
            options and the converter refuses it too; names the layer and what to do.
    """
    layers = layer_graph(model)
    program, converted_layers = _written(layers, channels or {})
    graph = _finished(layers.name, expanded(fold(program)))
    return dataclasses.replace(graph, converted_layers=converted_layers)


def _shapes(layers: LayerGraph, channels: Mapping[str, Dim]) -> dict[str, Shape]:
    return {key: _shape(key, shape, channels) for key, shape in layers.shapes.items()}


def _shape(key: str, shape: tuple[int | None, ...], channels: Mapping[str, Dim]) -> Shape:
    if any(dim is None for dim in shape[1:]):
        raise UnsupportedModelError(
            f"tensor {key} has the shape {shape}: the device needs every dimension but the batch. "
            "Give keras.Input the full shape."
        )
    last = channels.get(key, shape[-1])
    if isinstance(last, Dim) and not last.terms:
        last = last.constant
    return (1, *shape[1:-1], last)


def _written(layers: LayerGraph, channels: Mapping[str, Dim]) -> tuple[Program, tuple[str, ...]]:
    """Write every layer as operators, in the converter's order.

    Returns:
        The operators, and path and class of each layer that had to be converted alone.
    """
    shapes = _shapes(layers, channels)
    values = {key: _input(key, shapes[key], layers) for key in layers.inputs}
    written: list[tuple[str, Draft]] = []
    titles = []
    for call, scope in zip(layers.calls, scope_names(layers.calls), strict=True):
        inputs = tuple(values[key] for key in call.inputs)
        step = Step(call, inputs, tuple(shapes[key] for key in call.outputs), channels)
        made = _by_rule(step)
        if made is None:
            titles.append(f"{call.name} ({call.kind})")
            made = converted(step, inputs_first=reads_inputs_first(layers.name))
        values.update(zip(call.outputs, made, strict=True))
        written += [(scope, operator) for operator in step.operators]
    read = tuple(values[key] for key in layers.inputs)
    outputs = tuple(values[key] for key in layers.outputs)
    program = Program(converter_order(layers.name, read, written), read, outputs)
    return program, tuple(dict.fromkeys(titles))


def _by_rule(step: Step) -> tuple[Value, ...] | None:
    """Write a layer by its rule; None if it has none, or one that refuses the layer's options."""
    rule = RULES.find(step.layer)
    if rule is None:
        return None
    try:
        made = rule(step)
    except UnsupportedModelError as refusal:
        step.refusal = refusal
        step.operators.clear()
        return None
    return made if isinstance(made, tuple) else (made,)


def _input(key: TensorKey, shape: Shape, layers: LayerGraph) -> Value:
    """Return a model's input: int8 for real numbers, else the type that Keras gives it."""
    dtype = str(layers.tensors[key][0].dtype)
    if "float" in dtype:
        return Value(key.layer, shape)
    bits = 8 if dtype == "bool" else int(dtype.lstrip("uint"))
    return Value(key.layer, shape, bits, dtype, scales=0)


class _Tensors:
    """Numbers the tensors like the file.

    Inputs, integers, weights from the last operator to the first, then what operators make.
    """

    def __init__(self, program: Program) -> None:
        self.tensors: list[Tensor] = []
        self._index: dict[Value | Constant, int] = {}
        self._buffers: dict[Any, int] = {}
        for value in program.inputs:
            self._add(value)
        constants = [
            operand
            for operator in program.operators
            for operand in operator.inputs
            if isinstance(operand, Constant)
        ]
        for constant in constants:
            if constant.scales == 0:
                self._add(constant)
        for constant in reversed(constants):
            self._add(constant)
        for operator in program.operators:
            for value in operator.outputs:
                self._add(value)

    def index(self, operand: Operand) -> int:
        """Return the number of a tensor, -1 for an absent one."""
        return -1 if operand is None else self._index[operand]

    def _add(self, item: Value | Constant) -> None:
        if item in self._index:
            return
        self._index[item] = len(self.tensors)
        self.tensors.append(self._constant(item) if isinstance(item, Constant) else _value(item))

    def _constant(self, item: Constant) -> Tensor:
        content = item.key if item.content is None else item.content
        return Tensor(
            name=item.name,
            shape=item.shape,
            bits=item.bits,
            dtype=item.dtype,
            is_constant=True,
            quantization_scales=item.scales,
            buffer=self._buffers.setdefault(content, len(self._buffers)),
        )


def _value(item: Value) -> Tensor:
    return Tensor(
        name=item.name,
        shape=item.shape,
        bits=item.bits,
        dtype=item.dtype,
        quantization_scales=item.scales,
    )


def _finished(name: str, program: Program) -> Graph:
    tensors = _Tensors(program)
    versions = operator_versions(program.operators)
    operators = tuple(
        Operator(
            index=index,
            kind=op.kind,
            inputs=tuple(tensors.index(operand) for operand in op.inputs),
            outputs=tuple(tensors.index(value) for value in op.outputs),
            attributes={**op.attributes, "version": versions[op.kind]},
            sources=tuple(dict.fromkeys(op.sources)),
        )
        for index, op in enumerate(program.operators)
    )
    return Graph(
        name=name,
        tensors=tuple(tensors.tensors),
        operators=operators,
        inputs=tuple(tensors.index(value) for value in program.inputs),
        outputs=tuple(tensors.index(value) for value in program.outputs),
    )
