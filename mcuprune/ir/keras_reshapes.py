"""The converter's rewrites around RESHAPE, which it moves out of the way of other folds."""

from __future__ import annotations

import dataclasses

from mcuprune.ir.draft import Draft, Shape, Value, integers
from mcuprune.ir.keras_edits import Edit, LinkedProgram, merge_pair

_UNARY = frozenset({"RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH"})
_BINARY = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"})
# The kernels broadcast up to four axes.
_BROADCAST_RANK = 4


def merge_reshapes(op: Draft, program: LinkedProgram) -> Edit | None:
    """Let a RESHAPE of a RESHAPE read the original; drop one that changes nothing."""
    if op.kind != "RESHAPE":
        return None
    source = op.value_inputs()[0]
    if source.shape == op.output.shape and op.output not in program.outputs:
        return Edit({op: ()}, {op.output: source})
    before = program.producer(source)
    if before is None or before.kind != "RESHAPE":
        return None
    merged = dataclasses.replace(op, inputs=(before.inputs[0], *op.inputs[1:]))
    return Edit({op: (merged,)})


def keep_reduced_axes(op: Draft, program: LinkedProgram) -> Edit | None:
    """Turn a reduction and the RESHAPE that restores its axes into one that keeps them."""
    reduction = program.private_producer(op.inputs[0]) if op.kind == "RESHAPE" else None
    if reduction is None or reduction.attributes.get("keep_dims") is not False:
        return None
    axes = reduction.attributes["axis"]
    shape = reduction.value_inputs()[0].shape
    if op.output.shape != tuple(1 if i in axes else dim for i, dim in enumerate(shape)):
        return None
    kept = reduction.with_attributes(keep_dims=True)
    return merge_pair(kept, reduction, op)


def read_past_reshape(op: Draft, program: LinkedProgram) -> Edit | None:
    """Let FULLY_CONNECTED read the tensor behind a RESHAPE that keeps the last axis."""
    if op.kind != "FULLY_CONNECTED" or op.attributes["keep_num_dims"]:
        return None
    reshape = program.producer(op.inputs[0])
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    if source.shape[-1] != op.value_inputs()[0].shape[-1]:
        return None
    return Edit({op: (dataclasses.replace(op, inputs=(source, *op.inputs[1:])),)})


def read_before_reshape(op: Draft, program: LinkedProgram) -> Edit | None:
    """Move FULLY_CONNECTED before a RESHAPE that only adds axes of length 1."""
    if op.kind != "FULLY_CONNECTED" or not op.attributes["keep_num_dims"]:
        return None
    reshape = program.private_producer(op.inputs[0])
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    if len(source.shape) != 2 or source.shape[-1] != reshape.output.shape[-1]:
        return None
    return _swap(reshape, op.with_attributes(keep_num_dims=False), op)


def broadcast_without_reshape(op: Draft, program: LinkedProgram) -> Edit | None:
    """Let arithmetic broadcast a tensor itself where a RESHAPE only adds leading ones."""
    if op.kind not in _BINARY:
        return None
    for value in op.value_inputs():
        reshape = program.producer(value)
        if reshape is None or reshape.kind != "RESHAPE":
            continue
        source = reshape.value_inputs()[0]
        others = [other for other in op.value_inputs() if other is not value]
        if len(source.shape) > len(value.shape):
            continue
        adds_ones = _stripped(source.shape) == _stripped(value.shape)
        if adds_ones and others and others[0].shape == op.output.shape != value.shape:
            return Edit({op: (op.reading(value, source),)})
    return None


def _stripped(shape: Shape) -> Shape:
    """Return a shape without its leading ones."""
    return shape[1:] and _stripped(shape[1:]) if shape[0] == 1 else shape


def hoist_unary(op: Draft, program: LinkedProgram) -> Edit | None:
    """Move an activation before the RESHAPE it follows."""
    reshape = program.private_producer(op.inputs[0]) if op.kind in _UNARY else None
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    return _swap(reshape, op)


def hoist_constant_arithmetic(op: Draft, program: LinkedProgram) -> Edit | None:
    """Move a factor or summand before the RESHAPE it follows, if it means the same there."""
    constant = op.constant() if op.only_adds_constant() else None
    reshape = program.private_producer(op.value_inputs()[0]) if constant is not None else None
    if constant is None or reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    is_single_of_several_axes = constant.is_single and len(constant.shape) > 1
    if len(source.shape) > _BROADCAST_RANK or is_single_of_several_axes:
        return None
    if not constant.is_per_channel(source):
        return None
    return _swap(reshape, op)


def hoist_binary(op: Draft, program: LinkedProgram) -> Edit | None:
    """Move arithmetic on two tensors before the RESHAPE that drops an axis of length 1 of both.

    Nothing else may read what the two RESHAPE make.
    """
    if op.kind not in _BINARY or len(op.value_inputs()) != 2:
        return None
    reshapes = [program.private_producer(value) for value in op.inputs]
    sources = [r.value_inputs()[0] for r in reshapes if r is not None and r.kind == "RESHAPE"]
    if len(sources) != 2 or sources[0].shape != sources[1].shape:
        return None
    if _without_ones(sources[0].shape) != _without_ones(op.output.shape):
        return None
    early = Value(op.output.name, sources[0].shape)
    moved = dataclasses.replace(op, inputs=tuple(sources), outputs=(early,))
    return Edit({op: (moved, _reshape(early, op.output, op.sources))})


def _without_ones(shape: Shape) -> Shape:
    return tuple(dim for dim in shape if dim != 1)


def _swap(reshape: Draft, moved: Draft, op: Draft | None = None) -> Edit:
    """Let an operator run before the RESHAPE it reads.

    Args:
        reshape: Stands before, read by the operator alone.
        moved: The operator as it shall be, still with its old input.
        op: The operator as it is, if that differs.
    """
    source = reshape.value_inputs()[0]
    channels = moved.output.shape[-1] if moved.kind == "FULLY_CONNECTED" else source.shape[-1]
    early = Value(moved.output.name, (*source.shape[:-1], channels))
    first = dataclasses.replace(moved.reading(reshape.output, source), outputs=(early,))
    late = _reshape(early, moved.output, reshape.sources)
    return Edit({reshape: (), op or moved: (first, late)})


def _reshape(source: Value, output: Value, sources: tuple[str, ...]) -> Draft:
    return Draft("RESHAPE", (source, integers("shape", output.shape)), (output,), {}, sources)
