"""The converter's rewrites: what TensorFlow runs as several operators becomes one.

Each rewrite looks at one operator and its neighbours and returns the changed program, or None.
They follow TensorFlow 2.21's converter (tensorflow/compiler/mlir/lite/transforms, optimize and
prepare passes) as far as batch-1, full-int8 models of the supported layers show; the tests hold
every one against converted files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from mcuprune.ir.draft import Constant, Draft, Program, Value, integers
from mcuprune.ir.graph import Extent

Rewrite = Callable[[Draft, Program], Program | None]

# Operators with weights: a constant factor or summand after them folds into weights and bias.
AFFINE = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_FUSES_ACTIVATION = AFFINE | {"ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"}
_FUSED = frozenset({"RELU", "RELU6"})
_UNARY = _FUSED | {"LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU"}
_BINARY = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"})


def fold(program: Program) -> Program:
    """Apply the converter's rewrites until none applies."""
    while (changed := _first_change(program)) is not None:
        program = changed
    return program


def _first_change(program: Program) -> Program | None:
    for rewrite in _REWRITES:
        for op in program.operators:
            changed = rewrite(op, program)
            if changed is not None:
                return changed
    return None


def drop_unused(op: Draft, program: Program) -> Program | None:
    """Drop an operator whose output nobody reads."""
    if program.consumers(op.output) or op.output in program.outputs:
        return None
    return program.rewritten({op: ()}, {})


def merge_reshapes(op: Draft, program: Program) -> Program | None:
    """Let a RESHAPE of a RESHAPE read the original; drop one that changes nothing."""
    if op.kind != "RESHAPE":
        return None
    source = op.value_inputs()[0]
    if source.shape == op.output.shape and op.output not in program.outputs:
        return program.rewritten({op: ()}, {op.output: source})
    before = program.producer(source)
    if before is None or before.kind != "RESHAPE":
        return None
    merged = dataclasses.replace(op, inputs=(before.inputs[0], *op.inputs[1:]))
    return program.rewritten({op: (merged,)}, {})


def share_reshapes(op: Draft, program: Program) -> Program | None:
    """Drop a RESHAPE that repeats an earlier one."""
    if op.kind != "RESHAPE":
        return None
    for twin in program.consumers(op.value_inputs()[0]):
        if twin is op:
            return None
        if twin.kind == "RESHAPE" and twin.inputs == op.inputs:
            return program.rewritten({op: ()}, {op.output: twin.output})
    return None


def keep_reduced_axes(op: Draft, program: Program) -> Program | None:
    """Turn a reduction and the RESHAPE that restores its axes into one that keeps them."""
    reduction = program.private_producer(op.inputs[0]) if op.kind == "RESHAPE" else None
    if reduction is None or reduction.attributes.get("keep_dims") is not False:
        return None
    axes = reduction.attributes["axis"]
    shape = reduction.value_inputs()[0].shape
    if op.output.shape != tuple(1 if i in axes else dim for i, dim in enumerate(shape)):
        return None
    kept = reduction.with_attributes(keep_dims=True)
    return _merge(program, kept, reduction, op)


def read_past_reshape(op: Draft, program: Program) -> Program | None:
    """Let FULLY_CONNECTED read the tensor behind a RESHAPE that keeps the last axis."""
    if op.kind != "FULLY_CONNECTED" or op.attributes["keep_num_dims"]:
        return None
    reshape = program.producer(op.inputs[0])
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    if source.shape[-1] != op.value_inputs()[0].shape[-1]:
        return None
    return program.rewritten({op: (dataclasses.replace(op, inputs=(source, *op.inputs[1:])),)}, {})


def hoist_unary(op: Draft, program: Program) -> Program | None:
    """Move an activation before the RESHAPE it follows."""
    reshape = program.private_producer(op.inputs[0]) if op.kind in _UNARY else None
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    return _swap(program, reshape, op)


def hoist_constant_arithmetic(op: Draft, program: Program) -> Program | None:
    """Move a factor or summand per channel before a RESHAPE, to where it folds."""
    constant = op.constant() if op.kind in ("MUL", "ADD") else None
    reshape = program.private_producer(_only_value(op)) if constant is not None else None
    if constant is None or reshape is None or reshape.kind != "RESHAPE":
        return None
    affine = program.private_producer(reshape.inputs[0])
    if affine is None or not _can_absorb(affine) or not _is_per_channel(constant, affine.output):
        return None
    return _swap(program, reshape, op)


def hoist_binary(op: Draft, program: Program) -> Program | None:
    """Move arithmetic on two equally reshaped tensors before the RESHAPE."""
    if op.kind not in _BINARY or len(op.value_inputs()) != 2:
        return None
    reshapes = [program.producer(value) for value in op.inputs]
    sources = [r.value_inputs()[0] for r in reshapes if r is not None and r.kind == "RESHAPE"]
    if len(sources) != 2 or sources[0].shape != sources[1].shape:
        return None
    early = Value(op.output.name, sources[0].shape)
    moved = dataclasses.replace(op, inputs=tuple(sources), output=early)
    return program.rewritten({op: (moved, _reshape(early, op.output, op.sources))}, {})


def fold_into_producer(op: Draft, program: Program) -> Program | None:
    """Fold a constant factor or summand into the weights and bias of the operator before it."""
    constant = op.constant() if op.kind in ("MUL", "ADD") else None
    affine = program.private_producer(_only_value(op)) if constant is not None else None
    if constant is None or affine is None or not _can_absorb(affine):
        return None
    if not _is_per_channel(constant, affine.output):
        return None
    return _merge(program, _absorbing(affine, op), affine, op)


def fold_into_consumer(op: Draft, program: Program) -> Program | None:
    """Fold a constant factor or summand into the operator with weights after it.

    A convolution takes a single number, and a summand only where it pads nothing;
    FULLY_CONNECTED takes one number per input feature too.
    """
    if op.kind not in AFFINE or op.kind == "TRANSPOSE_CONV":
        return None
    before = program.private_producer(op.inputs[0])
    constant = before.constant() if before is not None and before.kind in ("MUL", "ADD") else None
    if before is None or constant is None or before.attributes["fused_activation"] != "NONE":
        return None
    if before.kind == "ADD" and op.attributes.get("padding") == "SAME":
        return None
    if constant.shape not in ((), (1,)) and op.kind != "FULLY_CONNECTED":
        return None
    return _merge(program, _absorbing(op, before), before, op, _only_value(before))


def fuse_activation(op: Draft, program: Program) -> Program | None:
    """Fuse RELU or RELU6 into the operator before it."""
    if op.kind not in _FUSED:
        return None
    before = program.private_producer(op.inputs[0])
    if before is None or before.kind not in _FUSES_ACTIVATION:
        return None
    fused = before.attributes["fused_activation"]
    if fused != "NONE" and op.kind != "RELU":
        return None
    kind = op.kind if fused == "NONE" else fused
    return _merge(program, before.with_attributes(fused_activation=kind), before, op)


def absorb_padding(op: Draft, program: Program) -> Program | None:
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
    return program.rewritten({op: (absorbed,)}, {})


def _same_padding(op: Draft, source: Value) -> Constant:
    """Return what padding SAME adds before and after each axis (TensorFlow's definition)."""
    weights = op.inputs[1]
    assert isinstance(weights, Constant)
    amounts = [0, 0]
    for i, axis in ((1, "h"), (2, "w")):
        stride, dilation = op.attributes[f"stride_{axis}"], op.attributes[f"dilation_{axis}"]
        amounts += _same_pair(source.shape[i], weights.shape[i], stride, dilation)
    return integers([*amounts, 0, 0], (4, 2))


def _same_pair(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    steps = -(-length // stride)
    reach = (kernel - 1) * dilation + 1
    total = max((steps - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def _only_value(op: Draft) -> Value:
    return op.value_inputs()[0]


def _can_absorb(op: Draft) -> bool:
    return op.kind in AFFINE and op.attributes["fused_activation"] == "NONE"


def _is_per_channel(constant: Constant, value: Value) -> bool:
    return constant.shape in ((), (1,)) or constant.shape == value.shape[-1:]


def _absorbing(affine: Draft, arithmetic: Draft) -> Draft:
    """Return ``affine`` with a factor in its weights, or a summand in its bias."""
    inputs = list(affine.inputs)
    bias_at = 3 if affine.kind == "TRANSPOSE_CONV" else 2
    weights, bias = inputs[1], inputs[bias_at] if len(inputs) > bias_at else None
    assert isinstance(weights, Constant)
    if arithmetic.kind == "MUL":
        inputs[1] = dataclasses.replace(weights, key=(weights.key, arithmetic.sources))
    elif isinstance(bias, Constant):
        inputs[bias_at] = dataclasses.replace(bias, is_zero=False)
    else:
        inputs[bias_at:] = [_new_bias(arithmetic, affine.output.shape[-1])]
    return dataclasses.replace(affine, inputs=tuple(inputs))


def _new_bias(arithmetic: Draft, channels: Extent) -> Constant:
    key = (*arithmetic.sources, "bias")
    return Constant(key, (channels,), bits=32, dtype="int32", scales=channels)


def _merge(
    program: Program, combined: Draft, first: Draft, second: Draft, source: Value | None = None
) -> Program:
    """Put ``combined`` where ``second`` stands and drop ``first``.

    Args:
        program: Holds both.
        combined: Does the work of both.
        first: Stands before, read by ``second`` alone.
        second: Its output is kept.
        source: Value to read in the place of what ``first`` made, if it is read at all.
    """
    inputs = combined.inputs
    if source is not None:
        inputs = tuple(source if operand is first.output else operand for operand in inputs)
    combined = dataclasses.replace(
        combined, inputs=inputs, output=second.output, sources=first.sources + second.sources
    )
    return program.rewritten({first: (), second: (combined,)}, {})


def _swap(program: Program, reshape: Draft, op: Draft) -> Program:
    source = reshape.value_inputs()[0]
    early = Value(op.output.name, source.shape)
    inputs = tuple(source if operand is reshape.output else operand for operand in op.inputs)
    moved = dataclasses.replace(op, inputs=inputs, output=early)
    late = _reshape(early, op.output, reshape.sources)
    return program.rewritten({reshape: (), op: (moved, late)}, {})


def _reshape(source: Value, output: Value, sources: tuple[str, ...]) -> Draft:
    return Draft("RESHAPE", (source, integers(output.shape)), output, {}, sources)


_REWRITES: tuple[Rewrite, ...] = (
    drop_unused,
    merge_reshapes,
    share_reshapes,
    hoist_unary,
    hoist_constant_arithmetic,
    hoist_binary,
    fold_into_producer,
    fuse_activation,
    fold_into_consumer,
    absorb_padding,
    keep_reduced_axes,
    read_past_reshape,
)
