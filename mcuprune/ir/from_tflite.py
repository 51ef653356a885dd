"""The door from a ``.tflite`` file to the graph. Needs neither TensorFlow nor a flatbuffer library.

Of a file with several subgraphs the first is returned (what `invoke()` runs); the others are
checked for soundness only.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from mcuprune.errors import InputError
from mcuprune.ir.flatbuffer import FlatbufferError, Table, root_table
from mcuprune.ir.graph import Graph
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS
from mcuprune.ir.tflite_subgraph import FileContext, StoredBuffer, parse_subgraph
from mcuprune.suggest import near_file

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
        inside = next(chain(path.glob("*.tflite"), path.glob("*/*.tflite")), None)
        hint = "" if inside is None else f", {inside}"
        raise InputError(f"{path} is a folder: give the .tflite file inside it{hint}")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist: check the path to the model file{near_file(path)}"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): check its permissions") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r} is no path ({error}): check it") from None


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
    with sound_file(name):
        return _parse_model(data, name)


@contextlib.contextmanager
def sound_file(name: str) -> Iterator[None]:
    """Name the file where something read from it in the block is unsound.

    Args:
        name: Name of the file or model, for messages.

    Raises:
        InputError: Instead of a FlatbufferError; with its byte offset and defect.
    """
    try:
        yield
    except FlatbufferError as defect:
        raise InputError(
            f"{name} is not a sound TFLite model: {defect}. "
            "The file may be cut short or damaged: copy or export it again."
        ) from None


def stored_contents(data: bytes, graph: Graph) -> tuple[bytes, ...]:
    """Return what a file stores for each tensor of the graph read from it; empty for nothing.

    Args:
        data: The whole file.
        graph: What :func:`parse_tflite` made of it.
    """
    spans = [_buffer(table, len(data)) for table in root_table(data, "model").tables(4, "buffer")]
    contents = [data[span.start : span.start + span.length] for span in spans]
    return tuple(b"" if t.buffer is None else contents[t.buffer] for t in graph.tensors)


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


def _parse_model(data: bytes, name: str) -> Graph:
    model = root_table(data, "model")
    version = model.number(0, "uint32")
    if version != _SCHEMA_VERSION:
        raise FlatbufferError(f"schema version {version}, only {_SCHEMA_VERSION} is known")
    metadata = [(m.text(0, "name"), m.number(1, "uint32")) for m in model.tables(6, "metadata")]
    context = FileContext(
        data=data,
        buffers=tuple(_buffer(table, len(data)) for table in model.tables(4, "buffer")),
        operator_codes=tuple(_operator_code(table) for table in model.tables(1, "operator code")),
        is_compressed=any(key == _COMPRESSION for key, _ in metadata),
    )
    _check_rest(model)
    graphs = [parse_subgraph(table, context, name) for table in model.tables(2, "subgraph")]
    if not graphs:
        raise FlatbufferError("the model has no subgraph")
    return dataclasses.replace(
        graphs[0],
        file_bytes=len(data),
        offline_offsets=_offline_offsets(metadata, graphs, context),
    )


def _buffer(table: Table, file_bytes: int) -> StoredBuffer:
    start, inside = table.span(0, "data")
    # Files over 2 GiB keep their data after the flatbuffer; 0 and 1 mean "not used".
    outside, length = table.number(1, "uint64"), table.number(2, "uint64")
    if inside:
        return StoredBuffer(start, inside)
    if outside > 1 and outside + length > file_bytes:
        raise FlatbufferError(
            f"{table.what} data at byte {outside} needs {length} bytes, "
            f"but the file has {file_bytes}"
        )
    return StoredBuffer(outside, length) if outside > 1 else StoredBuffer(0, 0)


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


def _offline_offsets(
    metadata: list[tuple[str, int]], graphs: list[Graph], context: FileContext
) -> tuple[int, ...] | None:
    buffers: Mapping[str, int] = dict(metadata)
    if _OFFLINE_PLAN not in buffers:
        return None
    if buffers[_OFFLINE_PLAN] >= len(context.buffers):
        raise FlatbufferError(f"metadata {_OFFLINE_PLAN} refers to a buffer that does not exist")
    tensor_count = sum(len(graph.tensors) for graph in graphs)
    plan = context.int32s(buffers[_OFFLINE_PLAN], 3 + tensor_count)
    # [version, subgraph, count, offset of each tensor of all subgraphs in turn]
    if len(plan) < 3 or plan[2] != tensor_count or len(plan) < 3 + tensor_count:
        raise FlatbufferError(
            f"metadata {_OFFLINE_PLAN} does not hold one offset for each of {tensor_count} tensors"
        )
    return plan[3 : 3 + len(graphs[0].tensors)]
