"""Where the converter requantizes: results of a fixed range that join others of any range.

A sigmoid's output has the scale 1/256 whatever calibration finds. A concatenation, maximum or
minimum wants one scale for all that it joins, so the converter puts a QUANTIZE behind the sigmoid,
also where operators that keep their input's scale stand in between (found with TensorFlow 2.21;
the operators: tensorflow/compiler/mlir/lite/ir/tfl_ops.td).
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from mcuprune.ir.draft import Draft, Program, Value

_FIXED_RANGE = frozenset({"LOGISTIC", "LOG_SOFTMAX", "SOFTMAX", "TANH"})
_JOINS = frozenset({"CONCATENATION", "MAXIMUM", "MINIMUM"})
_KEEPS_SCALE = frozenset(
    {
        "AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "RESHAPE", "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR", "STRIDED_SLICE", "TRANSPOSE",
    }
)  # fmt: skip

Readers = Mapping[Value, Sequence[Draft]]


def requantized_at_joins(program: Program) -> Program:
    """Put QUANTIZE behind every result of a fixed range that joins others."""
    readers: dict[Value, list[Draft]] = defaultdict(list)
    for op in program.operators:
        for value in dict.fromkeys(op.value_inputs()):
            readers[value].append(op)
    return dataclasses.replace(program, operators=tuple(_rewritten(program.operators, readers)))


def _rewritten(operators: Sequence[Draft], readers: Readers) -> Iterator[Draft]:
    rescaled: dict[Value, Value] = {}
    for operator in operators:
        op = operator
        for value in operator.value_inputs():
            op = op.reading(value, rescaled.get(value, value))
        yield op
        if op.kind in _FIXED_RANGE and any(_joins(r, readers) for r in readers.get(op.output, ())):
            # Everybody reads the rescaled tensor then, those that join nothing too.
            rescaled[op.output] = dataclasses.replace(op.output)
            yield Draft("QUANTIZE", (op.output,), (rescaled[op.output],), {}, op.sources)


def _joins(op: Draft, readers: Readers) -> bool:
    """Tell whether an operator is a join, or hands its input's scale on to one."""
    if op.kind in _KEEPS_SCALE:
        return any(_joins(reader, readers) for reader in readers.get(op.output, ()))
    return op.kind in _JOINS and op.constant() is None
