"""ELU in int8: TensorFlow's converter leaves it in float32, between conversions.

Both runtimes have an int8 kernel, a table of 256 results (LiteRT's activations.cc, TFLM's elu.cc).
It reads what DEQUANTIZE read and writes what QUANTIZE wrote, so it rounds where the three did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcuprune.ir.renumbering import renumber


def with_int8_elu(model: bytes) -> bytes:
    """Return an equivalent ``.tflite`` file with one int8 ELU for DEQUANTIZE, ELU and QUANTIZE.

    Args:
        model: Contents of a sound ``.tflite`` file; returned as they are if it has no such three.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    contents = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    known = schema.BuiltinOperator
    codes = [code.builtinCode for code in contents.operatorCodes]
    if known.ELU not in codes:
        return model
    for subgraph in contents.subgraphs:
        kinds = {id(operator): codes[operator.opcodeIndex] for operator in subgraph.operators}
        floats = _Floats(subgraph, kinds, known.DEQUANTIZE, known.QUANTIZE)
        for operator in list(subgraph.operators):
            if kinds[id(operator)] == known.ELU:
                floats.join(operator)
        _drop_unread(subgraph, contents.signatureDefs or [])
    builder = flatbuffers.Builder(len(model))
    builder.Finish(contents.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _Floats:
    """The float32 stretches of a subgraph.

    Args:
        subgraph: The subgraph, a ``SubGraphT``; changed in place.
        kinds: Builtin code of each operator, by ``id``.
        enters: Code of the operator that makes float32.
        leaves: Code of the operator that makes int8 of it.
    """

    def __init__(self, subgraph: Any, kinds: dict[int, int], enters: int, leaves: int) -> None:
        self._subgraph = subgraph
        self._kinds = kinds
        self._enters, self._leaves = enters, leaves

    def join(self, operator: Any) -> None:
        """Let an operator compute in int8 if it stands alone in its stretch."""
        (source,), (made,) = operator.inputs, operator.outputs
        before = [op for op in self._of_kind(self._enters) if source in op.outputs]
        after = [op for op in self._subgraph.operators if made in op.inputs]
        if len(before) != 1 or [self._kinds[id(op)] for op in after] != [self._leaves]:
            return
        operator.inputs, operator.outputs = before[0].inputs, after[0].outputs
        self._subgraph.operators.remove(after[0])
        if not any(source in op.inputs for op in self._subgraph.operators):
            self._subgraph.operators.remove(before[0])

    def _of_kind(self, kind: int) -> Iterator[Any]:
        return (op for op in self._subgraph.operators if self._kinds[id(op)] == kind)


def _drop_unread(subgraph: Any, signatures: list[Any]) -> None:
    """Take out tensors that no operator has any more, and number the others anew."""
    ends = [*subgraph.inputs, *subgraph.outputs]
    held = {int(i) for op in subgraph.operators for i in (*op.inputs, *op.outputs)}
    kept = sorted({*map(int, ends), *held} - {-1})
    number = renumber(subgraph, kept)
    for signature in signatures:
        for end in (*(signature.inputs or []), *(signature.outputs or [])):
            end.tensorIndex = number[end.tensorIndex]
