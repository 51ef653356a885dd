"""The door from a ``.tflite`` file to the graph. Needs neither TensorFlow nor a flatbuffer library.

Of a file with several subgraphs the first is returned (what `invoke()` runs); the others are
checked for soundness only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.errors import InputError
from mcuprune.ir.flatbuffer import FlatbufferError, Table, root_table
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.ir.tflite_schema import (
    AXIS_INPUT_OPERATORS,
    BUILTIN_OPERATORS,
    OPERATOR_OPTIONS,
    TENSOR_TYPES,
    TYPES_WITHOUT_FIXED_WIDTH,
    Option,
    decode,
)

# A 32-bit device addresses no more, nor does the file format store more.
MAX_TENSOR_BYTES = 2**31
_SCHEMA_VERSION = 3
_OFFLINE_PLAN = "OfflineMemoryAllocation"
_COMPRESSION = "COMPRESSION_METADATA"

_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive, perhaps a .keras file",
    b"\x89HDF": "an HDF5 file, perhaps Keras weights (.h5)",
    b"\x1f\x8b": "a gzip archive",
}


def read_tflite(path: str | Path) -> Graph:
    """Read a ``.tflite`` file.

    Args:
        path: The file.

    Returns:
        Its first subgraph; the name is the file's name.

    Raises:
        InputError: The file is missing, unreadable, no TFLite model, cut short or inconsistent.
    """
    return parse_tflite(read_model_bytes(path), str(path))


def read_model_bytes(path: str | Path) -> bytes:
    """Return the contents of a model file.

    Raises:
        InputError: The file is missing, a folder, or unreadable.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the .tflite file inside it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no file {path}: check the path to the .tflite model") from None
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): check its permissions") from None


def parse_tflite(data: bytes, name: str) -> Graph:
    """Read the bytes of a ``.tflite`` file.

    Args:
        data: The whole file.
        name: Name of the file or model, for the graph and for messages.

    Returns:
        Its first subgraph.

    Raises:
        InputError: The bytes are no TFLite model, are cut short or inconsistent; the message
            names the byte offset and the defect.
    """
    _require_tflite(data, name)
    try:
        return _parse_model(data, name)
    except FlatbufferError as defect:
        raise InputError(
            f"{name} is not a sound TFLite model: {defect}. "
            "The file may be cut short or damaged: copy or export it again."
        ) from None


def _require_tflite(data: bytes, name: str) -> None:
    if data[4:8] == b"TFL3":
        return
    found = next((what for magic, what in _OTHER_FORMATS.items() if data.startswith(magic)), None)
    if not data:
        found = "an empty file"
    elif found is None:
        found = f"{len(data)} bytes starting with {data[:8].hex(' ')}"
    raise InputError(
        f"{name} is no TFLite model: expected the mark 'TFL3' at byte 4, found {found}. "
        "Give a .tflite file, or convert the Keras model with `mcuprune deploy`."
    )


@dataclasses.dataclass(frozen=True)
class _Buffer:
    start: int
    length: int


@dataclasses.dataclass(frozen=True)
class _Context:
    """What the subgraphs of one file share."""

    data: bytes
    buffers: tuple[_Buffer, ...]
    operator_codes: tuple[tuple[str, int], ...]
    is_compressed: bool

    def int32s(self, buffer_index: int) -> tuple[int, ...]:
        buffer = self.buffers[buffer_index]
        raw = self.data[buffer.start : buffer.start + buffer.length]
        whole = len(raw) - len(raw) % 4
        return tuple(
            int.from_bytes(raw[i : i + 4], "little", signed=True) for i in range(0, whole, 4)
        )


def _parse_model(data: bytes, name: str) -> Graph:
    model = root_table(data, "model")
    version = model.number(0, "uint32")
    if version != _SCHEMA_VERSION:
        raise FlatbufferError(f"schema version {version}, only {_SCHEMA_VERSION} is known")
    metadata = [(m.text(0, "name"), m.number(1, "uint32")) for m in model.tables(6, "metadata")]
    context = _Context(
        data=data,
        buffers=tuple(_buffer(table, len(data)) for table in model.tables(4, "buffer")),
        operator_codes=tuple(_operator_code(table) for table in model.tables(1, "operator code")),
        is_compressed=any(key == _COMPRESSION for key, _ in metadata),
    )
    _check_rest(model)
    graphs = [_subgraph(table, context, name) for table in model.tables(2, "subgraph")]
    if not graphs:
        raise FlatbufferError("the model has no subgraph")
    return dataclasses.replace(
        graphs[0],
        file_bytes=len(data),
        offline_offsets=_offline_offsets(metadata, graphs, context),
    )


def _buffer(table: Table, file_bytes: int) -> _Buffer:
    start, length = table.span(0, "data")
    if length:
        return _Buffer(start, length)
    # Files over 2 GiB keep their data after the flatbuffer; 0 and 1 mean "not used".
    outside, length = table.number(1, "uint64"), table.number(2, "uint64")
    if outside > 1 and outside + length > file_bytes:
        raise FlatbufferError(
            f"{table.what} data at byte {outside} needs {length} bytes, "
            f"but the file has {file_bytes}"
        )
    return _Buffer(outside, length) if outside > 1 else _Buffer(0, 0)


def _operator_code(table: Table) -> tuple[str, int]:
    # Writers put codes up to 126 into both fields, later ones into the newer field alone.
    code = max(table.number(0, "int8"), table.number(3, "int32"))
    version = table.number(2, "int32", 1)
    custom = table.text(1, "custom code")
    if not 0 <= code < len(BUILTIN_OPERATORS):
        raise FlatbufferError(
            f"{table.what} is the unknown builtin {code} (0 to {len(BUILTIN_OPERATORS) - 1} known)"
        )
    kind = BUILTIN_OPERATORS[code]
    return (custom or kind) if kind == "CUSTOM" else kind, version


def _check_rest(model: Table) -> None:
    """Walk the parts that no cost depends on, so that a cut there is found too."""
    model.text(3, "description")
    model.numbers(5, "int32", "metadata buffers")
    for signature in model.tables(7, "signature"):
        for slot, what in ((0, "signature input"), (1, "signature output")):
            for tensor_map in signature.tables(slot, what):
                tensor_map.text(0, "name")
        signature.text(2, "key")


def _subgraph(table: Table, context: _Context, name: str) -> Graph:
    table.text(4, "name")
    tensors = tuple(_tensor(t, context) for t in table.tables(0, "tensor"))
    operators = tuple(
        _operator(index, t, tensors, context) for index, t in enumerate(table.tables(3, "operator"))
    )
    inputs, outputs = table.numbers(1, "int32", "inputs"), table.numbers(2, "int32", "outputs")
    for what, indices in (("inputs", inputs), ("outputs", outputs)):
        _check_indices(indices, len(tensors), f"{table.what} {what}", least=0)
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


def _tensor(table: Table, context: _Context) -> Tensor:
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


def _operator(index: int, table: Table, tensors: tuple[Tensor, ...], context: _Context) -> Operator:
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
    table.span(5, "custom options")
    table.numbers(8, "int32", "intermediates")
    attributes = {**_options(kind, table), "version": version}
    if kind in AXIS_INPUT_OPERATORS:
        attributes |= _axis(inputs, tensors, context)
    return Operator(index, kind, inputs, outputs, attributes)


def _check_indices(indices: tuple[int, ...], count: int, what: str, least: int) -> None:
    for index in indices:
        if not least <= index < count:
            raise FlatbufferError(f"{what} refer to tensor {index} of {count} tensors")


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
    inputs: tuple[int, ...], tensors: tuple[Tensor, ...], context: _Context
) -> dict[str, tuple[int, ...]]:
    if len(inputs) < 2 or inputs[1] < 0:
        return {}
    axis = tensors[inputs[1]]
    if not axis.is_constant or axis.dtype != "int32" or axis.buffer is None:
        return {}
    return {"axis": context.int32s(axis.buffer)}


def _offline_offsets(
    metadata: list[tuple[str, int]], graphs: list[Graph], context: _Context
) -> tuple[int, ...] | None:
    buffers: Mapping[str, int] = dict(metadata)
    if _OFFLINE_PLAN not in buffers:
        return None
    if buffers[_OFFLINE_PLAN] >= len(context.buffers):
        raise FlatbufferError(f"metadata {_OFFLINE_PLAN} refers to a buffer that does not exist")
    plan = context.int32s(buffers[_OFFLINE_PLAN])
    tensor_count = sum(len(graph.tensors) for graph in graphs)
    # [version, subgraph, count, offset of each tensor of all subgraphs in turn]
    if len(plan) < 3 or plan[2] != tensor_count or len(plan) < 3 + tensor_count:
        raise FlatbufferError(
            f"metadata {_OFFLINE_PLAN} does not hold one offset for each of {tensor_count} tensors"
        )
    return plan[3 : 3 + len(graphs[0].tensors)]
