"""What the converter's quantizer cannot bring to int8 runs in float, between conversions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mcuprune.ir.draft import Draft, Program, Value

# Operators without an int8 kernel, as TensorFlow 2.21's quantizer knows them
# (tensorflow/compiler/mlir/lite/ir/tfl_ops.td: those without quantizable results), but for ELU,
# which is brought to int8 in the file (mcuprune.ir.float_stretches).
_FLOAT_ONLY = frozenset({"NEG", "SQUARE"})


def in_float_where_needed(program: Program) -> Program:
    """Put DEQUANTIZE before and QUANTIZE after every operator that knows no int8."""
    operators = tuple(new for op in program.operators for new in _converted(op))
    return dataclasses.replace(program, operators=operators)


def _converted(op: Draft) -> Iterator[Draft]:
    if op.kind not in _FLOAT_ONLY:
        yield op
        return
    (source,) = op.value_inputs()
    before, after = _as_float(source), _as_float(op.output)
    yield Draft("DEQUANTIZE", (source,), (before,), {}, op.sources)
    yield dataclasses.replace(op, inputs=(before,), outputs=(after,))
    yield Draft("QUANTIZE", (after,), op.outputs, {}, op.sources)


def _as_float(value: Value) -> Value:
    return Value(value.name, value.shape, bits=32, dtype="float32", scales=0)
