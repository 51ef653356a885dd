"""Flash: the size of the ``.tflite`` file, predicted from the graph alone.

The file is laid out table by table, in the order in which :mod:`mcuprune.deployment.strip` writes
it. Slots are the positions of fields in tensorflow/compiler/mlir/lite/schema/schema.fbs; what the
converter stores besides the graph is in ``cost_models/kernels/tflite_file.yaml``.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from mcuprune.cost.flatbuffer_layout import OFFSET_BYTES, FlatbufferLayout
from mcuprune.cost.runtime import read_table
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS, OPERATOR_OPTIONS, Option

_INT_BYTES = 4
_SCALE_BYTES = 4
_ZERO_POINT_BYTES = 8
# The plan in the file: version, subgraph, number of tensors, an offset for each.
_PLAN_NAME, _PLAN_HEAD_INTS = "OfflineMemoryAllocation", 3
_FIELD_BYTES = {"int8": 1, "uint8": 1, "bool": 1, "int32": 4, "uint32": 4, "float32": 4}


@dataclasses.dataclass(frozen=True)
class FileFormat:
    """What the converter stores besides the graph; see ``tflite_file.yaml``."""

    data_alignment_bytes: int
    subgraph_name: str
    input_name: str
    output_name: str
    metadata: Mapping[str, int]
    empty_options: frozenset[str]
    options_not_stored: frozenset[str]


@functools.cache
def load_file_format() -> FileFormat:
    """Return the constants of ``cost_models/kernels/tflite_file.yaml``."""
    stored = read_table("tflite_file")
    sets = {name: frozenset(stored[name]) for name in ("empty_options", "options_not_stored")}
    table = {**stored, **sets}
    return FileFormat(**{field.name: table[field.name] for field in dataclasses.fields(FileFormat)})


def flash_bytes(graph: Graph) -> Extent:
    """Return the bytes of the ``.tflite`` file of a full-int8 model, stripped for deployment.

    Exact for what :mod:`mcuprune.deployment.convert` makes. Files of other converters hold names,
    signatures, empty buffers and metadata on top: for them take the size of the file.

    Args:
        graph: A graph, its widths known or open; one with offline offsets has them in its file.

    Returns:
        An int, or an open size for a graph with open widths.
    """
    layout, form = FlatbufferLayout(), load_file_format()
    codes = _operator_codes(graph)
    for kind, version in codes:
        _write_operator_code(layout, kind, version)
    layout.vector(len(codes) * OFFSET_BYTES)
    _write_subgraph(layout, graph, form, codes)
    layout.vector(OFFSET_BYTES)
    metadata = _metadata(graph, form)
    _write_buffers(layout, graph, form, metadata)
    _write_metadata(layout, metadata)
    layout.vector(0)  # no signatures
    # version, operator codes, subgraphs, buffers, metadata, signatures
    layout.table((slot, OFFSET_BYTES) for slot in (0, 1, 2, 4, 6, 7))
    return layout.finish(form.data_alignment_bytes)


def _operator_codes(graph: Graph) -> list[tuple[str, int]]:
    return list(dict.fromkeys(_code_of(operator) for operator in graph.operators))


def _code_of(operator: Operator) -> tuple[str, int]:
    return operator.kind, operator.attributes.get("version", 1)


def _write_operator_code(layout: FlatbufferLayout, kind: str, version: int) -> None:
    is_builtin = kind in BUILTIN_OPERATORS
    code = BUILTIN_OPERATORS.index(kind if is_builtin else "CUSTOM")
    if not is_builtin:
        layout.string(kind)
    present = {(0, 1): code, (1, OFFSET_BYTES): not is_builtin, (2, 4): version != 1, (3, 4): code}
    layout.table(field for field, is_present in present.items() if is_present)


def _write_subgraph(
    layout: FlatbufferLayout, graph: Graph, form: FileFormat, codes: list[tuple[str, int]]
) -> None:
    names = {
        **_tensor_names(graph, form, graph.inputs),
        **_tensor_names(graph, form, graph.outputs),
    }
    last_axis = _quantized_along_last_axis(graph)
    for index, tensor in enumerate(graph.tensors):
        _write_tensor(layout, tensor, names.get(index), index in last_axis)
    layout.vector(len(graph.tensors) * OFFSET_BYTES)
    layout.vector(len(graph.inputs) * _INT_BYTES)
    layout.vector(len(graph.outputs) * _INT_BYTES)
    for operator in graph.operators:
        _write_operator(layout, operator, form, codes.index(_code_of(operator)))
    layout.vector(len(graph.operators) * OFFSET_BYTES)
    layout.string(form.subgraph_name)
    # tensors, inputs, outputs, operators, name
    layout.table((slot, OFFSET_BYTES) for slot in range(5))


def _tensor_names(graph: Graph, form: FileFormat, indices: tuple[int, ...]) -> dict[int, str]:
    if graph.file_bytes is not None:
        return {index: graph.tensors[index].name for index in indices}
    is_input = indices == graph.inputs
    name = form.input_name if is_input else form.output_name
    return dict.fromkeys(indices, name)


def _quantized_along_last_axis(graph: Graph) -> set[int]:
    """Return the weights whose quantized dimension is not 0: those of depthwise convolutions."""
    depthwise = (op for op in graph.operators if op.kind == "DEPTHWISE_CONV_2D")
    return {op.inputs[1] for op in depthwise if len(op.inputs) > 1}


def _write_tensor(
    layout: FlatbufferLayout, tensor: Tensor, name: str | None, is_last_axis: bool
) -> None:
    layout.vector(len(tensor.shape) * _INT_BYTES)
    if name is not None:
        layout.string(name)
    _write_quantization(layout, tensor, is_last_axis)
    present = {
        (0, OFFSET_BYTES): True,  # shape
        (1, 1): tensor.dtype != "float32",
        (2, 4): tensor.is_constant,  # buffer
        (3, OFFSET_BYTES): name is not None,
        (4, OFFSET_BYTES): True,  # quantization
        (5, 1): tensor.is_variable,
        (8, 1): True,  # has_rank
    }
    layout.table(field for field, is_present in present.items() if is_present)


def _write_quantization(layout: FlatbufferLayout, tensor: Tensor, is_last_axis: bool) -> None:
    scales = tensor.quantization_scales
    is_quantized = bool(scales != 0)
    if is_quantized:
        layout.vector(scales * _SCALE_BYTES)
        layout.vector(scales * _ZERO_POINT_BYTES, _ZERO_POINT_BYTES)
    present = {
        (2, OFFSET_BYTES): is_quantized,  # scale
        (3, OFFSET_BYTES): is_quantized,  # zero point
        (6, 4): is_quantized and is_last_axis,  # quantized dimension
    }
    layout.table(field for field, is_present in present.items() if is_present)


def _write_operator(
    layout: FlatbufferLayout, operator: Operator, form: FileFormat, code: int
) -> None:
    layout.vector(len(operator.inputs) * _INT_BYTES)
    layout.vector(len(operator.outputs) * _INT_BYTES)
    has_options = _has_options(operator.kind, form)
    if has_options:
        layout.table(_option_fields(operator))
    present = {
        (0, 4): code,
        (1, OFFSET_BYTES): True,  # inputs
        (2, OFFSET_BYTES): True,  # outputs
        (3, 1): has_options,  # type of the options
        (4, OFFSET_BYTES): has_options,
    }
    layout.table(field for field, is_present in present.items() if is_present)


def _has_options(kind: str, form: FileFormat) -> bool:
    is_known = kind in OPERATOR_OPTIONS and kind not in form.options_not_stored
    return is_known or kind in form.empty_options


def _option_fields(operator: Operator) -> Iterator[tuple[int, int]]:
    """Yield slot and bytes of the options that differ from their defaults."""
    _, options = OPERATOR_OPTIONS.get(operator.kind, (0, ()))
    for option in options:
        value = operator.attributes.get(option.attribute)
        if value is not None and _stored(option, value) != option.default:
            yield option.slot, _FIELD_BYTES[option.kind]


def _stored(option: Option, value: Any) -> float:
    return option.names.index(value) if option.names else float(value)


def _metadata(graph: Graph, form: FileFormat) -> dict[str, int]:
    """Return the bytes of each entry of metadata, in the order of the file."""
    if graph.offline_offsets is None:
        return dict(form.metadata)
    plan_bytes = (_PLAN_HEAD_INTS + len(graph.tensors)) * _INT_BYTES
    return {**form.metadata, _PLAN_NAME: plan_bytes}


def _write_buffers(
    layout: FlatbufferLayout, graph: Graph, form: FileFormat, metadata: Mapping[str, int]
) -> None:
    layout.table(())  # buffer 0 is empty by definition
    constants = list(graph.constants())
    for tensor in constants:
        stored = tensor.size_bytes if tensor.stored_bytes is None else tensor.stored_bytes
        _write_data(layout, stored, form)
    for size_bytes in metadata.values():
        _write_data(layout, size_bytes, form)
    layout.vector((1 + len(constants) + len(metadata)) * OFFSET_BYTES)


def _write_data(layout: FlatbufferLayout, size_bytes: Extent, form: FileFormat) -> None:
    layout.vector(size_bytes, form.data_alignment_bytes)
    layout.table([(0, OFFSET_BYTES)])


def _write_metadata(layout: FlatbufferLayout, metadata: Mapping[str, int]) -> None:
    for name in metadata:
        layout.string(name)
        layout.table([(0, OFFSET_BYTES), (1, 4)])
    layout.vector(len(metadata) * OFFSET_BYTES)
