"""The converter's rewrites of what computes nothing, or has an operator of its own."""

from __future__ import annotations

import dataclasses

from mcuprune.ir.draft import Constant, Draft, Value, integers
from mcuprune.ir.keras_edits import Edit, LinkedProgram

# The number that leaves the other operand as it is.
_NEUTRAL = {"ADD": 0.0, "SUB": 0.0, "MUL": 1.0}
_SIXTH = 1 / 6
_TOLERANCE = 1e-6


def drop_neutral_arithmetic(op: Draft, program: LinkedProgram) -> Edit | None:
    """Drop a sum with 0 and a product with 1."""
    constant = op.constant() if op.only_adds_constant() else None
    if constant is None or constant.number != _NEUTRAL[op.kind]:
        return None
    return _dropped(op, program)


def drop_reduction_of_nothing(op: Draft, program: LinkedProgram) -> Edit | None:
    """Drop a mean or maximum over axes of length 1 that keeps them."""
    if not op.attributes.get("keep_dims"):
        return None
    return _dropped(op, program)


def drop_transpose(op: Draft, program: LinkedProgram) -> Edit | None:
    """Drop a TRANSPOSE that leaves every axis where it is; RESHAPE does if only ones move."""
    if op.kind != "TRANSPOSE":
        return None
    order = _order(op)
    source = op.value_inputs()[0]
    if list(order) == sorted(order) and program.producer(source) is not None:
        return Edit({op: ()}, {op.output: source})
    moved = [axis for axis in order if source.shape[axis] != 1]
    if moved != sorted(moved):
        return None
    inputs = (source, integers("shape", op.output.shape))
    return Edit({op: (dataclasses.replace(op, kind="RESHAPE", inputs=inputs),)})


def merge_transposes(op: Draft, program: LinkedProgram) -> Edit | None:
    """Let a TRANSPOSE of a TRANSPOSE read the original."""
    before = program.producer(op.inputs[0]) if op.kind == "TRANSPOSE" else None
    if before is None or before.kind != "TRANSPOSE":
        return None
    order = [_order(before)[axis] for axis in _order(op)]
    merged = dataclasses.replace(op, inputs=(before.inputs[0], integers("permutation", order)))
    return Edit({op: (merged,)})


def _order(op: Draft) -> tuple[int, ...]:
    constant = op.inputs[1]
    assert isinstance(constant, Constant)
    return constant.values


def _dropped(op: Draft, program: LinkedProgram) -> Edit | None:
    source = op.value_inputs()[0]
    is_model_input = program.producer(source) is None
    if source.shape != op.output.shape or (is_model_input and op.output in program.outputs):
        return None
    return Edit({op: ()}, {op.output: source})


def recognise_hard_swish(op: Draft, program: LinkedProgram) -> Edit | None:
    """Turn ``x * relu6(x + 3) / 6`` into HARD_SWISH."""
    if op.kind != "MUL" or len(op.value_inputs()) != 2:
        return None
    for value, gate in (op.value_inputs(), op.value_inputs()[::-1]):
        clipped = _scaled_by_a_sixth(gate, program)
        if clipped is not None and _is_shifted_relu6(clipped, value, program):
            return Edit({op: (Draft("HARD_SWISH", (value,), op.outputs, {}, op.sources),)})
    return None


def _scaled_by_a_sixth(value: Value, program: LinkedProgram) -> Value | None:
    scaling = program.producer(value)
    constant = None if scaling is None or scaling.kind != "MUL" else scaling.constant()
    if scaling is None or constant is None or constant.number is None:
        return None
    return scaling.value_inputs()[0] if abs(constant.number - _SIXTH) < _TOLERANCE else None


def _is_shifted_relu6(value: Value, source: Value, program: LinkedProgram) -> bool:
    clipping = program.producer(value)
    if clipping is None or clipping.kind != "RELU6":
        return False
    shift = program.producer(clipping.inputs[0])
    constant = None if shift is None or shift.kind != "ADD" else shift.constant()
    if shift is None or constant is None:
        return False
    return constant.number == 3 and shift.value_inputs()[0] is source
