"""Reads one subgraph of a TFLite file: its tensors and operators, every index checked."""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

from mcuprune.ir.flatbuffer import FlatbufferError, Table
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.ir.tflite_schema import (
    AXIS_INPUT_OPERATORS,
    BUILTIN_OPERATORS,
    OPERATOR_OPTIONS,
    OPERATORS_WITHOUT_DATA,
    TENSOR_TYPES,
    TYPES_WITHOUT_FIXED_WIDTH,
    Option,
    decode,
)

# A 32-bit device addresses no more, nor does the file format store more.
MAX_TENSOR_BYTES = 2**31
# TFLite's kernels know no more dimensions.
MAX_RANK = 8


@dataclasses.dataclass(frozen=True)
class StoredBuffer:
    """A buffer's place in the file.

    Attributes:
        start: Byte offset.
        length: Bytes of data, 0 if it has none.
    """

    start: int
    length: int


@dataclasses.dataclass(frozen=True)
class FileContext:
    """What the subgraphs of one file share.

    Attributes:
        data: The whole file.
        buffers: All buffers.
        operator_codes: Name of the operator and its version, per operator code.
        is_compressed: Whether buffers may hold less than their tensors (TFLM's compression).
    """

    data: bytes
    buffers: tuple[StoredBuffer, ...]
    operator_codes: tuple[tuple[str, int], ...]
    is_compressed: bool

    def int32s(self, buffer_index: int, most: int) -> tuple[int, ...]:
        """Return the first int32 numbers of a buffer, no more than ``most``."""
        buffer = self.buffers[buffer_index]
        count = min(buffer.length // 4, most)
        return struct.unpack_from(f"<{count}i", self.data, buffer.start)


def parse_subgraph(table: Table, context: FileContext, name: str) -> Graph:
    """Read one subgraph.

    Args:
        table: The subgraph's table.
        context: What it shares with the others.
        name: Name for the graph.

    Raises:
        FlatbufferError: It is unsound or inconsistent.
    """
    table.text(4, "name")
    tensors = tuple(_tensor(t, context) for t in table.tables(0, "tensor"))
    operators = tuple(
        _operator(index, t, tensors, context) for index, t in enumerate(table.tables(3, "operator"))
    )
    inputs, outputs = table.numbers(1, "int32", "inputs"), table.numbers(2, "int32", "outputs")
    for what, indices in (("inputs", inputs), ("outputs", outputs)):
        _check_indices(indices, len(tensors), f"{table.what} {what}", least=0)
    _check_order(tensors, operators, inputs)
    return Graph(name, _named(tensors, operators), operators, inputs, outputs)


def _named(tensors: tuple[Tensor, ...], operators: tuple[Operator, ...]) -> tuple[Tensor, ...]:
    """Name the tensors of a stripped file after the operator that makes or first reads them."""
    names: dict[int, str] = {}
    for operator in operators:
        title = f"{operator.kind.lower()}_{operator.index}"
        for place, index in enumerate(operator.outputs):
            names.setdefault(index, title if place == 0 else f"{title}:{place}")
        for place, index in enumerate(operator.inputs):
            names.setdefault(index, f"{title}/input_{place}")
    return tuple(
        tensor if tensor.name else dataclasses.replace(tensor, name=names.get(index, ""))
        for index, tensor in enumerate(tensors)
    )


def _tensor(table: Table, context: FileContext) -> Tensor:
    name, shape = table.text(3, "name"), table.numbers(0, "int32", "shape")
    dtype, bits = _tensor_type(table)
    _check_shape(shape, bits, f"{table.what} ({name!r})")
    table.numbers(7, "int32", "shape signature")
    buffer_index = table.number(2, "uint32")
    if buffer_index >= len(context.buffers):
        raise FlatbufferError(
            f"{table.what} ({name!r}) refers to buffer {buffer_index} "
            f"of {len(context.buffers)} buffers"
        )
    stored = context.buffers[buffer_index].length
    tensor = Tensor(
        name=name,
        shape=shape,
        bits=bits,
        dtype=dtype,
        is_constant=stored > 0,
        is_variable=bool(table.number(5, "uint8")),
        quantization_scales=_scale_count(table.table(4, f"{table.what} quantization")),
        stored_bytes=stored or None,
        buffer=buffer_index,
    )
    if stored and not table.has(6) and not context.is_compressed:
        _check_stored(tensor, stored, table.what)
    return tensor


def _tensor_type(table: Table) -> tuple[str, int]:
    code = table.number(1, "int8")
    if not 0 <= code < len(TENSOR_TYPES):
        raise FlatbufferError(
            f"{table.what} has the unknown type {code} (0 to {len(TENSOR_TYPES) - 1} known)"
        )
    return TENSOR_TYPES[code]


def _check_shape(shape: tuple[int, ...], bits: int, what: str) -> None:
    if any(dim < 0 for dim in shape):
        raise FlatbufferError(
            f"{what} has the shape {shape}: every dimension must be known, none negative"
        )
    elements = 1
    for dim in shape:
        elements *= max(dim, 1)
        if elements * bits > MAX_TENSOR_BYTES * 8:
            raise FlatbufferError(f"{what} is over {MAX_TENSOR_BYTES:,} bytes: shape {shape[:8]}")


def _check_stored(tensor: Tensor, stored_bytes: int, what: str) -> None:
    if tensor.dtype in TYPES_WITHOUT_FIXED_WIDTH:
        return
    if stored_bytes < tensor.size_bytes:
        raise FlatbufferError(
            f"{what} ({tensor.name!r}) of shape {tensor.shape} needs {tensor.size_bytes} bytes, "
            f"its buffer {tensor.buffer} holds {stored_bytes}"
        )


def _scale_count(quantization: Table | None) -> int:
    if quantization is None:
        return 0
    for slot, kind, what in ((0, "float32", "min"), (1, "float32", "max"), (3, "int64", "zero")):
        quantization.numbers(slot, kind, what)
    scales = quantization.numbers(2, "float32", "scales")
    if not all(math.isfinite(scale) for scale in scales):
        raise FlatbufferError(f"{quantization.what} holds a scale that is not finite")
    return len(scales)


def _operator(
    index: int, table: Table, tensors: tuple[Tensor, ...], context: FileContext
) -> Operator:
    code_index = table.number(0, "uint32")
    if code_index >= len(context.operator_codes):
        raise FlatbufferError(
            f"{table.what} refers to operator code {code_index} "
            f"of {len(context.operator_codes)} codes"
        )
    kind, version = context.operator_codes[code_index]
    inputs, outputs = table.numbers(1, "int32", "inputs"), table.numbers(2, "int32", "outputs")
    _check_indices(inputs, len(tensors), f"{table.what} ({kind}) inputs", least=-1)
    _check_indices(outputs, len(tensors), f"{table.what} ({kind}) outputs", least=0)
    if kind in BUILTIN_OPERATORS and kind not in OPERATORS_WITHOUT_DATA:
        _require_data(f"{table.what} ({kind})", inputs, outputs)
    table.span(5, "custom options")
    table.numbers(8, "int32", "intermediates")
    attributes = {**_options(kind, table), "version": version}
    if kind in AXIS_INPUT_OPERATORS:
        attributes |= _axis(inputs, tensors, context, f"{table.what} ({kind})")
    return Operator(index, kind, inputs, outputs, attributes)


def _check_indices(indices: tuple[int, ...], count: int, what: str, least: int) -> None:
    for index in indices:
        if not least <= index < count:
            raise FlatbufferError(f"{what} refer to tensor {index} of {count} tensors")


def _check_order(
    tensors: tuple[Tensor, ...], operators: tuple[Operator, ...], inputs: tuple[int, ...]
) -> None:
    """Refuse operators that read what they or later ones write: TFLite runs them in this order."""
    makers: dict[int, int] = {}
    for operator in operators:
        for index in operator.outputs:
            makers.setdefault(index, operator.index)
    for index in inputs:
        makers.pop(index, None)
    for operator in operators:
        for index in operator.inputs:
            maker = makers.get(index, -1)
            if maker >= operator.index and not (
                tensors[index].is_variable or tensors[index].is_constant
            ):
                raise FlatbufferError(
                    f"operator {operator.index} ({operator.kind}) reads tensor {index}, which "
                    f"operator {maker} ({operators[maker].kind}) writes only then"
                )


def _require_data(what: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    if not inputs or not outputs or inputs[0] < 0:
        raise FlatbufferError(
            f"{what} reads tensors {list(inputs)} and writes {list(outputs)}; it needs one of each"
        )


def _options(kind: str, operator: Table) -> dict[str, Any]:
    what = f"{operator.what} ({kind}) options"
    stored = operator.table(4, what)
    if kind not in OPERATOR_OPTIONS:
        return {}
    union, fields = OPERATOR_OPTIONS[kind]
    found = operator.number(3, "uint8")
    if stored is not None and found != union:
        raise FlatbufferError(f"{what} are of kind {found}; {kind} takes kind {union}")
    if kind == "RESHAPE" and stored is not None:
        stored.numbers(0, "int32", "new shape")
    return {field.attribute: _option(field, stored, what) for field in fields}


def _option(field: Option, stored: Table | None, what: str) -> Any:
    kind = "uint8" if field.kind == "bool" else field.kind
    number = field.default if stored is None else stored.number(field.slot, kind, field.default)
    try:
        return decode(field, number)
    except ValueError as problem:
        raise FlatbufferError(f"{what}: {problem}") from None


def _axis(
    inputs: tuple[int, ...], tensors: tuple[Tensor, ...], context: FileContext, what: str
) -> dict[str, tuple[int, ...]]:
    if len(inputs) < 2 or inputs[1] < 0:
        return {}
    axis = tensors[inputs[1]]
    if not axis.is_constant or axis.dtype != "int32" or axis.buffer is None:
        return {}
    if axis.elements > MAX_RANK:
        raise FlatbufferError(f"{what} reduces over {axis.elements} axes; at most {MAX_RANK} exist")
    return {"axis": context.int32s(axis.buffer, axis.elements)}
