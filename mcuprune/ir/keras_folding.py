"""The converter's rewrites: what TensorFlow runs as several operators becomes one.

Each rewrite looks at one operator and its neighbours and returns the changed program, or None.
They follow TensorFlow 2.21's converter (tensorflow/compiler/mlir/lite/transforms, optimize and
prepare passes) as far as batch-1, full-int8 models of the supported layers show; the tests hold
every one against converted files.
"""

from __future__ import annotations

import dataclasses

from mcuprune.ir.draft import Constant, Draft, Program, Value, integers
from mcuprune.ir.keras_edits import Edit, LinkedProgram, Rewrite, merge_pair, settle
from mcuprune.ir.keras_float import in_float_where_needed
from mcuprune.ir.keras_identities import (
    drop_neutral_arithmetic,
    drop_reduction_of_nothing,
    drop_transpose,
    merge_transposes,
    recognise_hard_swish,
)
from mcuprune.ir.keras_ranges import requantized_at_joins
from mcuprune.ir.keras_reshapes import (
    broadcast_without_reshape,
    hoist_binary,
    hoist_constant_arithmetic,
    hoist_unary,
    keep_reduced_axes,
    merge_reshapes,
    read_before_reshape,
    read_past_reshape,
)

# Operators with weights: a constant factor or summand after them folds into weights and bias.
_AFFINE = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_FUSES_ACTIVATION = _AFFINE | {"ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"}
_FUSED = frozenset({"RELU", "RELU6", "RELU_N1_TO_1"})


def fold(program: Program) -> Program:
    """Apply the converter's rewrites, phase by phase, each until none of its rewrites applies."""
    linked = LinkedProgram(program)
    for rewrites in _PHASES:
        settle(linked, rewrites)
    return in_float_where_needed(requantized_at_joins(linked.program()))


def drop_unused(op: Draft, program: LinkedProgram) -> Edit | None:
    """Drop an operator whose outputs nobody reads."""
    if any(program.consumers(value) or value in program.outputs for value in op.outputs):
        return None
    return Edit({op: ()})


def share_repeated(op: Draft, program: LinkedProgram) -> Edit | None:
    """Drop an operator that repeats an earlier one."""
    values = op.value_inputs()
    for twin in program.consumers(values[0]) if values else ():
        if twin is op:
            return None
        if (twin.kind, twin.inputs, twin.attributes) == (op.kind, op.inputs, op.attributes):
            return Edit({op: ()}, dict(zip(op.outputs, twin.outputs, strict=True)))
    return None


def fold_into_producer(op: Draft, program: LinkedProgram) -> Edit | None:
    """Fold a constant factor or summand into the weights and bias of the operator before it."""
    constant = op.constant() if op.only_adds_constant() else None
    affine = program.private_producer(op.value_inputs()[0]) if constant is not None else None
    if constant is None or affine is None or not _can_absorb(affine):
        return None
    if not constant.is_per_channel(affine.output):
        return None
    return merge_pair(_absorbing(affine, op), affine, op)


def fold_into_consumer(op: Draft, program: LinkedProgram) -> Edit | None:
    """Fold a constant factor or summand into the operator with weights after it.

    A convolution takes a single number, and a summand only where it pads nothing;
    FULLY_CONNECTED on vectors takes one number per feature too, if it has a bias.
    """
    if op.kind not in _AFFINE or op.kind == "TRANSPOSE_CONV":
        return None
    before = program.producer(op.inputs[0])
    if before is None or not before.only_adds_constant():
        return None
    constant = before.constant()
    if constant is None or before.attributes["fused_activation"] != "NONE":
        return None
    if before.kind != "MUL" and op.attributes.get("padding") == "SAME":
        return None
    if not constant.is_single and not (_takes_features(op) and len(constant.shape) == 1):
        return None
    combined = _absorbing(op, before).reading(before.output, before.value_inputs()[0])
    combined = dataclasses.replace(combined, sources=before.sources + op.sources)
    return Edit({op: (combined,)})


def _takes_features(op: Draft) -> bool:
    return op.kind == "FULLY_CONNECTED" and op.inputs[2] is not None


def fuse_activation(op: Draft, program: LinkedProgram) -> Edit | None:
    """Fuse RELU or RELU6 into the operator before it."""
    before = program.private_producer(op.inputs[0]) if op.kind in _FUSED else None
    if before is None:
        return None
    if before.kind == op.kind:
        return merge_pair(before, before, op)
    if before.kind not in _FUSES_ACTIVATION:
        return None
    if before.attributes["fused_activation"] not in ("NONE", op.kind):
        return None
    return merge_pair(before.with_attributes(fused_activation=op.kind), before, op)


def absorb_padding(op: Draft, program: LinkedProgram) -> Edit | None:
    """Replace PAD and padding VALID by padding SAME where the two pad alike."""
    if op.kind not in _CONVOLUTIONS or op.attributes["padding"] != "VALID":
        return None
    pad = program.producer(op.inputs[0])
    if pad is None or pad.kind != "PAD" or len(pad.output.shape) != 4:
        return None
    source = pad.value_inputs()[0]
    if pad.constant() != _same_padding(op, source):
        return None
    absorbed = dataclasses.replace(
        op.with_attributes(padding="SAME"),
        inputs=(source, *op.inputs[1:]),
        sources=pad.sources + op.sources,
    )
    return Edit({op: (absorbed,)})


def _same_padding(op: Draft, source: Value) -> Constant:
    """Return what padding SAME adds before and after each axis (TensorFlow's definition)."""
    weights = op.inputs[1]
    assert isinstance(weights, Constant)
    amounts = [0, 0]
    for i, axis in ((1, "h"), (2, "w")):
        stride, dilation = op.attributes[f"stride_{axis}"], op.attributes[f"dilation_{axis}"]
        amounts += _same_pair(source.shape[i], weights.shape[i], stride, dilation)
    return integers("paddings", [*amounts, 0, 0], (4, 2))


def _same_pair(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    steps = -(-length // stride)
    reach = (kernel - 1) * dilation + 1
    total = max((steps - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def _can_absorb(op: Draft) -> bool:
    return op.kind in _AFFINE and op.attributes["fused_activation"] == "NONE"


def _absorbing(affine: Draft, arithmetic: Draft) -> Draft:
    """Return ``affine`` with a factor in its weights, or a summand in its bias."""
    inputs = list(affine.inputs)
    bias_at = 3 if affine.kind == "TRANSPOSE_CONV" else 2
    weights, bias = inputs[1], inputs[bias_at] if len(inputs) > bias_at else None
    assert isinstance(weights, Constant)
    if arithmetic.kind == "MUL":
        inputs[1] = dataclasses.replace(weights, key=(weights.key, arithmetic.sources))
    elif isinstance(bias, Constant):
        inputs[bias_at] = dataclasses.replace(bias, content=None)
    else:
        inputs[bias_at:] = [_new_bias(arithmetic, affine)]
    return dataclasses.replace(affine, inputs=tuple(inputs))


def _new_bias(arithmetic: Draft, affine: Draft) -> Constant:
    channels = affine.output.shape[-1]
    name = f"{affine.output.name}/bias"
    key = (name, arithmetic.sources)
    return Constant(key, (channels,), bits=32, dtype="int32", scales=channels, name=name)


_TIDYING: tuple[Rewrite, ...] = (drop_unused, merge_reshapes, share_repeated)
_PHASES: tuple[tuple[Rewrite, ...], ...] = (
    (*_TIDYING, recognise_hard_swish),
    # Activations still stand behind their reshapes when FULLY_CONNECTED moves before them.
    (*_TIDYING, read_before_reshape),
    (
        *_TIDYING,
        drop_neutral_arithmetic,
        drop_reduction_of_nothing,
        merge_transposes,
        drop_transpose,
        hoist_unary,
        hoist_constant_arithmetic,
        hoist_binary,
        fold_into_producer,
        fuse_activation,
        fold_into_consumer,
        absorb_padding,
        keep_reduced_axes,
        read_past_reshape,
        broadcast_without_reshape,
    ),
)
