"""Int8 operators for those that TensorFlow's converter leaves in float32, between conversions.

ELU always: both runtimes have an int8 kernel, a table of 256 results (LiteRT's activations.cc,
TFLM's elu.cc). SPLIT, SPLIT_V and UNPACK of which a part is not read, as in the first step of an
unrolled LSTM, in two of five runs (TensorFlow 2.21): they copy, so that int8 is as good. Each reads
what DEQUANTIZE read and writes what QUANTIZE wrote, so it rounds where the three did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.ir.renumbering import renumber
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS

# The version that int8 takes (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc).
_INT8_VERSIONS = {"ELU": 1, "SPLIT": 2, "SPLIT_V": 2, "UNPACK": 2}
_TABLES = frozenset({"ELU"})
# The runtime that first had it, where that is later than of any other int8 operator
# (tensorflow/compiler/mlir/lite/tools/versioning/runtime_version.cc).
_RUNTIMES = {"SPLIT_V": "2.3.0"}


def without_float_stretches(model: bytes) -> bytes:
    """Return an equivalent ``.tflite`` file with one int8 operator for each stretch of one.

    A stretch is an operator in float32 of a kind named above, its DEQUANTIZE and a QUANTIZE for
    each part that is read. The result has the order of operators and tensors of a file without
    stretches.

    Args:
        model: Contents of a sound ``.tflite`` file; returned as they are if it has no stretch.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    contents = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    kinds = [BUILTIN_OPERATORS[code.builtinCode] for code in contents.operatorCodes]
    if not set(kinds) & set(_INT8_VERSIONS):
        return model
    ends = [
        end
        for signature in contents.signatureDefs or []
        for end in (*(signature.inputs or []), *(signature.outputs or []))
    ]
    joined = [kind for graph in contents.subgraphs for kind in _Floats(graph, kinds).join_all(ends)]
    if not joined:
        return model
    for kind, code in zip(kinds, contents.operatorCodes, strict=True):
        if kind in joined:
            code.version = max(code.version, _INT8_VERSIONS[kind])
    for kind in set(joined) & set(_RUNTIMES):
        _require_runtime(_RUNTIMES[kind], contents)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(contents.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _Floats:
    """The float32 stretches of a subgraph.

    Args:
        subgraph: The subgraph, a ``SubGraphT``; changed in place.
        kinds: Name of the operator of each operator code.
    """

    def __init__(self, subgraph: Any, kinds: Sequence[str]) -> None:
        self._subgraph = subgraph
        self._kinds = kinds

    def join_all(self, ends: list[Any]) -> list[str]:
        """Let operators that stand alone in their stretch compute in int8.

        Args:
            ends: Inputs and outputs of the signatures, which name tensors.

        Returns:
            Their kinds.
        """
        joined = []
        replaced: dict[int, int] = {}
        for operator in list(self._subgraph.operators):
            found = self._join(operator) if self._kind(operator) in _INT8_VERSIONS else {}
            if found:
                joined.append(self._kind(operator))
            replaced |= found
        if joined:
            self._replace(replaced, ends)
        return joined

    def _join(self, operator: Any) -> Mapping[int, int]:
        """Return which tensor of the operator stands for each that is given up."""
        before = [op for op in self._subgraph.operators if self._enters(op, operator)]
        after = {made: self._readers(made) for made in map(int, operator.outputs)}
        if len(before) != 1 or not all(map(self._only_leaves, after)):
            return {}
        source = int(before[0].inputs[0])
        written = {made: int(op.outputs[0]) for made, ops in after.items() for op in ops}
        if self._kind(operator) not in _TABLES and any(
            self._ranges(int8) != self._ranges(source) for int8 in written.values()
        ):
            return {}
        for made in after:
            self._make_int8(made, like=written.get(made, source))
        for op in (op for ops in after.values() for op in ops):
            self._subgraph.operators.remove(op)
        entered = int(before[0].outputs[0])
        operator.inputs = [source if int(i) == entered else int(i) for i in operator.inputs]
        if not self._readers(entered):
            self._subgraph.operators.remove(before[0])
        return {int8: made for made, int8 in written.items()}

    def _kind(self, operator: Any) -> str:
        kind: str = self._kinds[operator.opcodeIndex]
        return kind

    def _enters(self, conversion: Any, operator: Any) -> bool:
        made = int(conversion.outputs[0])
        return self._kind(conversion) == "DEQUANTIZE" and made in map(int, operator.inputs)

    def _readers(self, tensor: int) -> list[Any]:
        return [op for op in self._subgraph.operators if tensor in map(int, op.inputs)]

    def _only_leaves(self, tensor: int) -> bool:
        readers = [self._kind(op) for op in self._readers(tensor)]
        return readers in ([], ["QUANTIZE"]) and tensor not in map(int, self._subgraph.outputs)

    def _ranges(self, tensor: int) -> tuple[list[float], list[int]]:
        ranges = self._subgraph.tensors[tensor].quantization
        return list(ranges.scale), list(ranges.zeroPoint)

    def _make_int8(self, tensor: int, like: int) -> None:
        changed, int8 = self._subgraph.tensors[tensor], self._subgraph.tensors[like]
        changed.type, changed.quantization = int8.type, int8.quantization
        if like in map(int, self._subgraph.outputs):
            changed.name = int8.name

    def _replace(self, replaced: Mapping[int, int], ends: list[Any]) -> None:
        """Put tensors in the place of others; take out those that no operator has any more."""
        graph = self._subgraph
        for operator in graph.operators:
            operator.inputs = [replaced.get(int(i), int(i)) for i in operator.inputs]
        graph.outputs = [replaced.get(int(i), int(i)) for i in graph.outputs]
        for end in ends:
            end.tensorIndex = replaced.get(end.tensorIndex, end.tensorIndex)
        held = {int(i) for op in graph.operators for i in (*op.inputs, *op.outputs)}
        number = renumber(graph, sorted({*map(int, graph.inputs), *graph.outputs, *held} - {-1}))
        for end in ends:
            end.tensorIndex = number[end.tensorIndex]


def _require_runtime(version: str, contents: Any) -> None:
    for entry in contents.metadata or []:
        if entry.name == b"min_runtime_version":
            buffer = contents.buffers[entry.buffer]
            found = bytes(buffer.data).rstrip(b"\0").decode()
            if _numbers(found) < _numbers(version):
                buffer.data = np.frombuffer(version.encode().ljust(len(buffer.data), b"\0"), "u1")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
