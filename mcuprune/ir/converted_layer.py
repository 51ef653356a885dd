"""The fallback for layers without a rule: their operators, read from a conversion of them alone.

What is found so is what the layer costs by itself. Foldings across its borders (a batch norm after
it, an activation that the operator before it could take up) are not foreseen, nor is the
interleaving with other branches: the layer's operators run in one go. Recurrent layers count as
unrolled.

Where the layer's input or output is of an open width, nobody knows how its insides follow. Each of
their dimensions, weights included, that equals the present number of channels is taken to follow
it, unless that number is ambiguous: the same for two widths, or for a fixed dimension of an input
or output. Ambiguous ones keep their int.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mcuprune.errors import ConversionError
from mcuprune.ir.draft import Constant, Draft, Operand, Program, Shape, Value, integers
from mcuprune.ir.graph import Dim, Extent, Operator, Tensor
from mcuprune.ir.keras_step import Step
from mcuprune.ir.layer_conversion import Conversion, LoneInput, convert_call

T = TypeVar("T")

# Stands for all operators of a layer while the converter's rewrites run around it.
_BLOCK = "CONVERTED_LAYER"
# What the converter stores for a positive and a negative number alone (see draft.number).
_NUMBERS = {b"\x7f": True, b"\x80": False}


@dataclasses.dataclass(frozen=True, eq=False)
class _Body:
    """What a block stands for.

    Attributes:
        inputs: What the operators read, in the order of the block's inputs.
        operators: In execution order.
    """

    inputs: tuple[Value, ...]
    operators: tuple[Draft, ...]


def converted(step: Step, inputs_first: bool) -> tuple[Value, ...]:
    """Write a layer as what the converter makes of it alone.

    Args:
        step: The layer.
        inputs_first: Whether the converter reads the model's inputs before its constants.

    Returns:
        A value for each output.

    Raises:
        UnsupportedModelError: The layer has no form that a device can run; names the layer and
            what to do.
    """
    values = _distinct(step, step.inputs)
    try:
        found = convert_call(step.call, _forms(step), inputs_first)
        operators, outputs = _spliced(step, values, found)
    except ConversionError as error:
        problem = error
    else:
        step.operators += _bundled(step, operators, outputs)
        return outputs
    if step.refusal is not None:
        raise step.refusal
    raise step.unsupported(
        f"it has no rule of its own, and its cost cannot be had by converting it alone: {problem}. "
        "Replace the layer, or deploy the model up to it and run the rest in your firmware"
    )


def _bundled(step: Step, operators: Sequence[Draft], outputs: Sequence[Value]) -> Sequence[Draft]:
    """Tie operators together, but for the reshapes at both ends, which merge with others."""
    first = [op for op in operators if _is_reshape(op) and op.inputs[0] in step.inputs]
    last = [op for op in operators if _is_reshape(op) and op.output in outputs and op not in first]
    inner = tuple(op for op in operators if op not in (*first, *last))
    if not inner:
        return operators
    made = dict.fromkeys(value for op in inner for value in op.outputs)
    wanted = {*outputs, *(value for op in last for value in op.value_inputs())}
    read = tuple(dict.fromkeys(x for op in inner for x in op.value_inputs() if x not in made))
    body = _Body(read, inner)
    given = tuple(value for value in made if value in wanted)
    return [*first, Draft(_BLOCK, read, given, {"body": body}, (step.call.name,)), *last]


def _is_reshape(op: Draft) -> bool:
    return op.kind == "RESHAPE" and isinstance(op.inputs[1], Constant)


def expanded(program: Program) -> Program:
    """Put the operators of converted layers in the place of the blocks."""
    operators = [op for draft in program.operators for op in _opened(draft)]
    return dataclasses.replace(program, operators=tuple(operators))


def _opened(draft: Draft) -> tuple[Draft, ...]:
    if draft.kind != _BLOCK:
        return (draft,)
    body: _Body = draft.attributes["body"]
    now: dict[Operand, Operand] = dict(zip(body.inputs, draft.inputs, strict=True))
    return tuple(
        dataclasses.replace(op, inputs=tuple(now.get(x, x) for x in op.inputs))
        for op in body.operators
    )


def _distinct(step: Step, per_input: Sequence[T]) -> tuple[T, ...]:
    """Keep one of what belongs to the same tensor, read several times."""
    return tuple(dict(zip(step.call.inputs, per_input, strict=True)).values())


def _forms(step: Step) -> tuple[LoneInput, ...]:
    """Return the present form of each distinct input."""
    return tuple(
        LoneInput(
            tuple(map(_present, value.shape, tensor.shape)),
            "float32" if value.dtype == "int8" else value.dtype,
        )
        for value, tensor in zip(
            _distinct(step, step.inputs), _distinct(step, step.call.node.input_tensors), strict=True
        )
    )


def _present(dim: Extent, static: int | None) -> int:
    return int(static if isinstance(dim, Dim) and static is not None else dim)


def _followed(step: Step) -> dict[int, Dim]:
    """Return the open width that a dimension inside the layer follows, by its present number."""
    shapes = [*(value.shape for value in step.inputs), *step.shapes]
    tensors = [*step.call.node.input_tensors, *step.call.node.outputs]
    found: dict[int, set[Dim]] = {}
    fixed: set[int] = set()
    for shape, tensor in zip(shapes, tensors, strict=True):
        for dim, static in zip(shape, tensor.shape, strict=True):
            if isinstance(dim, Dim):
                found.setdefault(static, set()).add(dim)
            else:
                fixed.add(dim)
    return {
        present: next(iter(dims))
        for present, dims in found.items()
        if len(dims) == 1 and present not in fixed
    }


def _spliced(
    step: Step, values: tuple[Value, ...], found: Conversion
) -> tuple[list[Draft], tuple[Value, ...]]:
    """Return the operators of a converted layer and what it gives out."""
    operands = _operands(step, values, found)
    name = step.call.name
    operators = [_draft(name, op, operands) for op in found.graph.operators]
    outputs = tuple(operands[index] for index in found.graph.outputs)
    if len(outputs) != len(step.shapes):
        raise ConversionError(f"it gives {len(step.shapes)} tensors, converted {len(outputs)}")
    given = tuple(value for value in outputs if isinstance(value, Value))
    if len(given) < len(outputs):
        raise ConversionError("an output is the same for every input")
    return operators, given


def _operands(step: Step, values: tuple[Value, ...], found: Conversion) -> dict[int, Operand]:
    """Return what stands for each tensor of the converted layer."""
    graph, followed = found.graph, _followed(step)
    outward = dict(zip(graph.outputs, step.shapes, strict=False))
    operands: dict[int, Operand] = dict(zip(graph.inputs, values, strict=True))
    for index, tensor in enumerate(graph.tensors):
        shape: Shape = tuple(followed.get(dim, dim) for dim in tensor.shape)
        if index in operands:
            continue
        if tensor.is_constant:
            scales = followed.get(tensor.quantization_scales, tensor.quantization_scales)
            stored = found.contents[index]
            operands[index] = _constant(step, index, tensor, stored, (shape, scales))
        else:
            scales = tensor.quantization_scales
            shape = outward.get(index, shape)
            operands[index] = Value(step.call.name, shape, tensor.bits, tensor.dtype, scales)
    return operands


def _constant(
    step: Step, index: int, tensor: Tensor, stored: bytes, form: tuple[Shape, Extent]
) -> Constant:
    shape, scales = form
    name = f"{step.call.name}/constant_{index}"
    if tensor.dtype == "int32" and scales == 0:
        # As the shapes and axes of other layers, with which it may share bytes.
        return integers(name, struct.unpack(f"<{len(stored) // 4}i", stored), shape)
    # A bias's scale depends on the input's, so each call has a bias of its own.
    call = step.call.outputs[0] if tensor.dtype == "int32" else step.call.name
    content = ("number", _NUMBERS[stored]) if stored in _NUMBERS else (call, tensor.dtype, stored)
    return Constant(
        (call, index, tensor.dtype, stored), shape, tensor.bits, tensor.dtype, scales, content, name
    )


def _draft(name: str, op: Operator, operands: Mapping[int, Operand]) -> Draft:
    made = tuple(operands[index] for index in op.outputs)
    return Draft(
        op.kind,
        tuple(None if index < 0 else operands[index] for index in op.inputs),
        tuple(value for value in made if isinstance(value, Value)),
        op.attributes,
        (name,),
    )
