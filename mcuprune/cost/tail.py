"""The tail of TFLM's arena: everything it allocates for good, one allocation after the other.

The tail grows downwards from the end of the arena; each allocation is aligned at its lower end.
Walking the same allocations in the same order therefore gives the exact number, padding included.

Source: MicroAllocator, MicroInterpreter::AllocateTensors and the kernels of tflite-micro 90b983c
(2026-08-20); sizes of structures from ``cost_models/kernels/tflm_reference.yaml``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from mcuprune.cost.cursor import Cursor
from mcuprune.cost.operands import operand, result
from mcuprune.cost.runtime import Room, Runtime, load_runtime
from mcuprune.cost.scratch import operator_scratch
from mcuprune.ir.dim import Extent, is_more_than
from mcuprune.ir.graph import Graph, Operator, Tensor

_INT_BYTES = 4
_Rule: TypeAlias = Callable[[Graph, Operator, Runtime], list[Extent]]
# LUTSize<int16_t>() in lite/kernels/internal/common.h.
_INT16_TABLE_BYTES = 2 * 513


@dataclasses.dataclass(frozen=True)
class Allocation:
    """One persistent allocation.

    Attributes:
        what: What it holds.
        size_bytes: Bytes asked for, known or open.
        alignment_bytes: Its alignment.
        operator: Index of the operator it is for, None if for the model as a whole.
    """

    what: str
    size_bytes: Extent
    alignment_bytes: int
    operator: int | None = None


def arena_tail(graph: Graph, pointer_bits: int = 64, runtime: str = "tflm-reference") -> Extent:
    """Return the bytes in the tail of the arena.

    Args:
        graph: A graph, its widths known or open.
        pointer_bits: 64 for a host, 32 for a microcontroller.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.

    Returns:
        An int, or an open size for a graph with open widths.
    """
    used = Cursor()
    for allocation in allocations(graph, load_runtime(runtime, pointer_bits)):
        used.advance(allocation.size_bytes, allocation.alignment_bytes)
    return used.total


def allocations(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    """Yield the persistent allocations in the order in which TFLM makes them."""
    for room in runtime.interpreter:
        yield Allocation("interpreter", room.size_bytes, room.alignment_bytes)
    yield from _model_structures(graph, runtime)
    for operator in graph.operators:
        yield from _room("options", runtime.kernel(operator.kind).options, operator)
    for operator in graph.operators:
        yield from _kernel_data(operator, runtime)
    for operator in graph.operators:
        for size_bytes in _prepared(graph, operator, runtime):
            yield Allocation(
                "prepared by the kernel", size_bytes, runtime.alignment_bytes, operator.index
            )
    yield from _scratch_handles(graph, runtime)
    yield from _variables(graph, runtime)
    for indices in (graph.inputs, graph.outputs):
        yield from _io_tensors([graph.tensors[index] for index in indices], runtime)


def _model_structures(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    counts = (
        ("MicroBuiltinDataAllocator", 1),
        ("SubgraphAllocations", 1),
        ("TfLiteEvalTensor", len(graph.tensors)),
        ("NodeAndRegistration", len(graph.operators)),
    )
    for struct, count in counts:
        room = runtime.structs[struct]
        yield Allocation(struct, count * room.size_bytes, room.alignment_bytes)


def _room(what: str, room: Room | None, operator: Operator) -> Iterator[Allocation]:
    if room is not None:
        yield Allocation(what, room.size_bytes, room.alignment_bytes, operator.index)


def _kernel_data(operator: Operator, runtime: Runtime) -> Iterator[Allocation]:
    room = runtime.kernel(operator.kind).data
    if room is not None:
        yield Allocation("kernel", room.size_bytes, runtime.alignment_bytes, operator.index)


def _scratch_handles(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    count = sum(len(operator_scratch(graph, operator)) for operator in graph.operators)
    if count:
        handle = runtime.structs["ScratchBufferHandle"]
        yield Allocation("scratch handles", count * handle.size_bytes, handle.alignment_bytes)


def _variables(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    for index, tensor in enumerate(graph.tensors):
        is_placed = graph.offline_offsets is not None and graph.offline_offsets[index] >= 0
        if tensor.is_variable and not is_placed:
            yield Allocation(f"variable {index}", tensor.size_bytes, runtime.alignment_bytes)


def _io_tensors(tensors: list[Tensor], runtime: Runtime) -> Iterator[Allocation]:
    pointer, struct, quantization = (
        runtime.structs[name]
        for name in ("TfLiteTensorPointer", "TfLiteTensor", "TfLiteAffineQuantization")
    )
    pointers_bytes = len(tensors) * pointer.size_bytes
    yield Allocation("inputs or outputs", pointers_bytes, runtime.alignment_bytes)
    for tensor in tensors:
        yield Allocation(tensor.name, struct.size_bytes, struct.alignment_bytes)
        if _is_quantized(tensor):
            yield Allocation(tensor.name, quantization.size_bytes, quantization.alignment_bytes)
            zero_points = (1 + tensor.quantization_scales) * _INT_BYTES
            yield Allocation(tensor.name, zero_points, _INT_BYTES)


def _is_quantized(tensor: Tensor) -> bool:
    return bool(tensor.quantization_scales != 0)


def _prepared(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    rule = _PREPARED.get(operator.kind)
    return [] if rule is None else rule(graph, operator, runtime)


def _per_channel(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """conv_common.cc, transpose_conv.cc: a multiplier and a shift per output channel."""
    return [operand(graph, operator, 1, rank=1).shape[0] * _INT_BYTES] * 2


def _per_channel_depthwise(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """depthwise_conv_common.cc: the same; its weights have the channels last."""
    return [operand(graph, operator, 1, rank=4).shape[3] * _INT_BYTES] * 2


def _per_channel_if_quantized_so(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """fully_connected_common.cc: the same, only for weights with a scale per channel."""
    weights, data = operand(graph, operator, 1), operand(graph, operator, 0)
    scales = weights.quantization_scales
    if data.dtype == "float32" or scales == 0:
        return []
    return [scales * is_more_than(scales, 1) * _INT_BYTES] * 2


def _softmax_tables(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """softmax_common.cc: two lookup tables for 16-bit input."""
    is_16_bit = operand(graph, operator, 0).dtype == "int16"
    return [_INT16_TABLE_BYTES] * 2 if is_16_bit else []


def _own_dimensions(graph: Graph, operator: Operator, _: Runtime) -> list[Extent]:
    """kernel_util.cc, CreateWritableTensorDimsWithCopy: a writable copy of the output's shape."""
    return [_dimensions_bytes(result(graph, operator))]


def _transposed_operands(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
    """batch_matmul.cc: quantization data, a copy of each operand to transpose, the own shape."""
    left, right = operand(graph, operator, 0), operand(graph, operator, 1)
    is_quantized = left.dtype in ("int8", "int16")
    own = [runtime.structs["QuantizationOpDataBatchMatmul"].size_bytes] if is_quantized else []
    for tensor, is_copied in (
        (left, operator.attributes.get("adj_x", False)),
        (right, not operator.attributes.get("adj_y", False)),
    ):
        if is_copied:
            struct = runtime.structs["TfLiteEvalTensor"].size_bytes
            own += [struct, _dimensions_bytes(tensor), tensor.size_bytes]
    return own + _own_dimensions(graph, operator, runtime)


def _data_if_int8(struct: str) -> _Rule:
    """Return the rule of a kernel that allocates its data while preparing, for int8 only."""

    def rule(graph: Graph, operator: Operator, runtime: Runtime) -> list[Extent]:
        is_int8 = result(graph, operator).dtype == "int8"
        return [runtime.structs[struct].size_bytes] if is_int8 else []

    return rule


def _dimensions_bytes(tensor: Tensor) -> int:
    return (1 + len(tensor.shape)) * _INT_BYTES


_PREPARED: Mapping[str, _Rule] = {
    "CONV_2D": _per_channel,
    "TRANSPOSE_CONV": _per_channel,
    "DEPTHWISE_CONV_2D": _per_channel_depthwise,
    "FULLY_CONNECTED": _per_channel_if_quantized_so,
    "SOFTMAX": _softmax_tables,
    "BATCH_MATMUL": _transposed_operands,
    "DEPTH_TO_SPACE": _own_dimensions,
    "GATHER": _own_dimensions,
    "GATHER_ND": _own_dimensions,
    "L2_POOL_2D": _own_dimensions,
    "SPACE_TO_DEPTH": _own_dimensions,
    "ADD_N": _data_if_int8("OpDataAddN"),
    "CUMSUM": _data_if_int8("OpDataCumsum"),
    "LOG_SOFTMAX": _data_if_int8("LogSoftmaxOpData"),
}
