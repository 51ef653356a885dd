"""The converter's rewrites: what TensorFlow runs as several operators becomes one.

Each rewrite looks at one operator and its neighbours and returns the changed program, or None.
They follow TensorFlow 2.21's converter (tensorflow/compiler/mlir/lite/transforms, optimize and
prepare passes) as far as batch-1, full-int8 models of the supported layers show; the tests hold
every one against converted files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from mcuprune.ir.draft import Constant, Draft, Program, Shape, Value, integers

Rewrite = Callable[[Draft, Program], Program | None]

# Operators with weights: a constant factor or summand after them folds into weights and bias.
AFFINE = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_FUSES_ACTIVATION = AFFINE | {"ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"}
_FUSED = frozenset({"RELU", "RELU6"})
_UNARY = _FUSED | {"LOGISTIC", "TANH", "HARD_SWISH"}
_FOLDABLE = frozenset({"MUL", "ADD", "SUB"})
_BINARY = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"})
# The kernels broadcast up to four axes.
_BROADCAST_RANK = 4


def fold(program: Program) -> Program:
    """Apply the converter's rewrites, phase by phase, each until none of its rewrites applies."""
    for rewrites in _PHASES:
        while (changed := _first_change(program, rewrites)) is not None:
            program = changed
    return program


def _first_change(program: Program, rewrites: Sequence[Rewrite]) -> Program | None:
    for rewrite in rewrites:
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


def share_repeated(op: Draft, program: Program) -> Program | None:
    """Drop an operator that repeats an earlier one."""
    values = op.value_inputs()
    for twin in program.consumers(values[0]) if values else ():
        if twin is op:
            return None
        if (twin.kind, twin.inputs, twin.attributes) == (op.kind, op.inputs, op.attributes):
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


def read_before_reshape(op: Draft, program: Program) -> Program | None:
    """Move FULLY_CONNECTED before a RESHAPE that only adds axes of length 1."""
    if op.kind != "FULLY_CONNECTED" or not op.attributes["keep_num_dims"]:
        return None
    reshape = program.private_producer(op.inputs[0])
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    if len(source.shape) != 2 or source.shape[-1] != reshape.output.shape[-1]:
        return None
    return _swap(program, reshape, op.with_attributes(keep_num_dims=False), op)


def broadcast_without_reshape(op: Draft, program: Program) -> Program | None:
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
            return program.rewritten({op: (_reading(op, value, source),)}, {})
    return None


def _stripped(shape: Shape) -> Shape:
    """Return a shape without its leading ones."""
    return shape[1:] and _stripped(shape[1:]) if shape[0] == 1 else shape


def hoist_unary(op: Draft, program: Program) -> Program | None:
    """Move an activation before the RESHAPE it follows."""
    reshape = program.private_producer(op.inputs[0]) if op.kind in _UNARY else None
    if reshape is None or reshape.kind != "RESHAPE":
        return None
    return _swap(program, reshape, op)


def hoist_constant_arithmetic(op: Draft, program: Program) -> Program | None:
    """Move a factor or summand before the RESHAPE it follows, if it means the same there."""
    constant = op.constant() if op.kind in _FOLDABLE else None
    reshape = program.private_producer(_only_value(op)) if constant is not None else None
    if constant is None or reshape is None or reshape.kind != "RESHAPE":
        return None
    source = reshape.value_inputs()[0]
    if len(source.shape) > _BROADCAST_RANK or not _is_per_channel(constant, source):
        return None
    return _swap(program, reshape, op)


def hoist_binary(op: Draft, program: Program) -> Program | None:
    """Move arithmetic on two tensors before the RESHAPE that drops an axis of length 1 of both."""
    if op.kind not in _BINARY or len(op.value_inputs()) != 2:
        return None
    reshapes = [program.producer(value) for value in op.inputs]
    sources = [r.value_inputs()[0] for r in reshapes if r is not None and r.kind == "RESHAPE"]
    if len(sources) != 2 or sources[0].shape != sources[1].shape:
        return None
    if _without_ones(sources[0].shape) != _without_ones(op.output.shape):
        return None
    early = Value(op.output.name, sources[0].shape)
    moved = dataclasses.replace(op, inputs=tuple(sources), output=early)
    return program.rewritten({op: (moved, _reshape(early, op.output, op.sources))}, {})


def _without_ones(shape: Shape) -> Shape:
    return tuple(dim for dim in shape if dim != 1)


def fold_into_producer(op: Draft, program: Program) -> Program | None:
    """Fold a constant factor or summand into the weights and bias of the operator before it."""
    constant = op.constant() if op.kind in _FOLDABLE else None
    affine = program.private_producer(_only_value(op)) if constant is not None else None
    if constant is None or affine is None or not _can_absorb(affine):
        return None
    if not _is_per_channel(constant, affine.output):
        return None
    return _merge(program, _absorbing(affine, op), affine, op)


def fold_into_consumer(op: Draft, program: Program) -> Program | None:
    """Fold a constant factor or summand into the operator with weights after it.

    A convolution takes a single number, and a summand only where it pads nothing;
    FULLY_CONNECTED on vectors takes one number per feature too, if it has a bias.
    """
    if op.kind not in AFFINE or op.kind == "TRANSPOSE_CONV":
        return None
    before = program.producer(op.inputs[0])
    constant = before.constant() if before is not None and before.kind in _FOLDABLE else None
    if before is None or constant is None or before.attributes["fused_activation"] != "NONE":
        return None
    if before.kind != "MUL" and op.attributes.get("padding") == "SAME":
        return None
    if not _is_single(constant) and not (_takes_features(op) and len(constant.shape) == 1):
        return None
    combined = _reading(_absorbing(op, before), before.output, _only_value(before))
    combined = dataclasses.replace(combined, sources=before.sources + op.sources)
    return program.rewritten({op: (combined,)}, {})


def _takes_features(op: Draft) -> bool:
    is_dense = op.kind == "FULLY_CONNECTED" and not op.attributes["keep_num_dims"]
    return is_dense and op.inputs[2] is not None


def fuse_activation(op: Draft, program: Program) -> Program | None:
    """Fuse RELU or RELU6 into the operator before it."""
    before = program.private_producer(op.inputs[0]) if op.kind in _FUSED else None
    if before is None:
        return None
    if before.kind == op.kind:
        return _merge(program, before, before, op)
    if before.kind not in _FUSES_ACTIVATION:
        return None
    if before.attributes["fused_activation"] not in ("NONE", op.kind):
        return None
    return _merge(program, before.with_attributes(fused_activation=op.kind), before, op)


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


def squeeze_summand(op: Draft, program: Program) -> Program | None:
    """Put a RESHAPE to one axis behind the second summand if all its other axes have length 1."""
    if op.kind != "ADD" or not isinstance(op.inputs[1], Value):
        return None
    summand = op.inputs[1]
    *others, channels = summand.shape
    if not others or any(dim != 1 for dim in others):
        return None
    flat = Value(summand.name, (channels,))
    reshape = _reshape(summand, flat, op.sources)
    squeezed = dataclasses.replace(op, inputs=(op.inputs[0], flat))
    producer = program.producer(summand)
    if producer is not None:
        return program.rewritten({producer: (producer, reshape), op: (squeezed,)}, {})
    first, *_ = program.operators
    if first is op:
        return program.rewritten({op: (reshape, squeezed)}, {})
    return program.rewritten({first: (reshape, first), op: (squeezed,)}, {})


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


def _only_value(op: Draft) -> Value:
    return op.value_inputs()[0]


def _can_absorb(op: Draft) -> bool:
    return op.kind in AFFINE and op.attributes["fused_activation"] == "NONE"


def _is_single(constant: Constant) -> bool:
    return all(dim == 1 for dim in constant.shape)


def _is_per_channel(constant: Constant, value: Value) -> bool:
    return _is_single(constant) or constant.shape == value.shape[-1:]


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


def _merge(program: Program, combined: Draft, first: Draft, second: Draft) -> Program:
    """Put ``combined``, which does the work of both, where ``second`` stands; drop ``first``."""
    sources = first.sources + second.sources
    combined = dataclasses.replace(combined, output=second.output, sources=sources)
    return program.rewritten({first: (), second: (combined,)}, {})


def _swap(program: Program, reshape: Draft, moved: Draft, op: Draft | None = None) -> Program:
    """Let an operator run before the RESHAPE it reads.

    Args:
        program: Holds both.
        reshape: Stands before, read by the operator alone.
        moved: The operator as it shall be, still with its old input.
        op: The operator as it is, if that differs.
    """
    source = reshape.value_inputs()[0]
    channels = moved.output.shape[-1] if moved.kind == "FULLY_CONNECTED" else source.shape[-1]
    early = Value(moved.output.name, (*source.shape[:-1], channels))
    first = dataclasses.replace(_reading(moved, reshape.output, source), output=early)
    late = _reshape(early, moved.output, reshape.sources)
    return program.rewritten({reshape: (), op or moved: (first, late)}, {})


def _reading(op: Draft, old: Value, new: Value) -> Draft:
    """Return the operator with another input."""
    inputs = tuple(new if operand is old else operand for operand in op.inputs)
    return dataclasses.replace(op, inputs=inputs)


def _reshape(source: Value, output: Value, sources: tuple[str, ...]) -> Draft:
    return Draft("RESHAPE", (source, integers("shape", output.shape)), output, {}, sources)


_TIDYING: tuple[Rewrite, ...] = (drop_unused, merge_reshapes, share_repeated)
_PHASES: tuple[tuple[Rewrite, ...], ...] = (
    # Activations still stand behind their reshapes when FULLY_CONNECTED moves before them.
    (*_TIDYING, read_before_reshape),
    (
        *_TIDYING,
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
    (*_TIDYING, squeeze_summand),
)
