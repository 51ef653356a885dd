"""The tail of TFLM's arena: everything it allocates for good, one allocation after the other.

The tail grows downwards from the end of the arena; each allocation is aligned at its lower end.
Walking the same allocations in the same order therefore gives the exact number, padding included.

Source: MicroAllocator, MicroInterpreter::AllocateTensors and the kernels of tflite-micro 90b983c
(2026-08-20); sizes of structures from ``cost_models/kernels/tflm_reference.yaml``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from mcuprune.cost.cursor import Cursor
from mcuprune.cost.prepared import prepared
from mcuprune.cost.runtime import REFERENCE, Room, Runtime, load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.ir.dim import Extent
from mcuprune.ir.graph import Graph, Operator, Tensor

_INT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Allocation:
    """One persistent allocation.

    Attributes:
        what: What it holds.
        size_bytes: Bytes asked for, known or open.
        alignment_bytes: Its alignment.
        operator: Index of the operator it is for, None if for the model as a whole.
        is_buffer: True for what kernels ask for and for variables, False for TFLM's structures.
    """

    what: str
    size_bytes: Extent
    alignment_bytes: int
    operator: int | None = None
    is_buffer: bool = False


def arena_tail(graph: Graph, pointer_bits: int | None = None, runtime: str = REFERENCE) -> Extent:
    """Return the bytes in the tail of the arena.

    Args:
        graph: A graph, its widths known or open.
        pointer_bits: 64 for a host, 32 for a microcontroller; None for what the runtime usually
            has.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.

    Returns:
        An int, or an open size for a graph with open widths.
    """
    used = Cursor()
    advance(used, allocations(graph, load_runtime(runtime, pointer_bits)))
    return used.total


def advance(used: Cursor, made: Iterable[Allocation]) -> None:
    """Move the end of a tail down by allocations."""
    for allocation in made:
        used.advance(allocation.size_bytes, allocation.alignment_bytes)


def allocations(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    """Yield the persistent allocations in the order in which TFLM makes them."""
    yield from initial_allocations(graph, runtime)
    for operator in graph.operators:
        yield from prepare_allocations(graph, operator, runtime)
    yield from plan_allocations(graph, runtime)
    yield from io_allocations(graph, runtime)


def initial_allocations(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    """Yield those made before any kernel prepares."""
    for room in runtime.interpreter:
        yield Allocation("interpreter", room.size_bytes, room.alignment_bytes)
    yield from _model_structures(graph, runtime)
    for operator in graph.operators:
        yield from _room("options", runtime.kernel(operator.kind).options, operator)
    for operator in graph.operators:
        yield from _kernel_data(operator, runtime)


def prepare_allocations(graph: Graph, operator: Operator, runtime: Runtime) -> Iterator[Allocation]:
    """Yield those that an operator's kernel makes while preparing."""
    for size_bytes in prepared(graph, operator, runtime):
        yield _buffer("prepared by the kernel", size_bytes, runtime, operator)


def plan_allocations(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    """Yield those made before the memory plan."""
    yield from _scratch_handles(graph, runtime)
    yield from _variables(graph, runtime)


def io_allocations(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    """Yield those made after the memory plan, for the model's inputs and outputs."""
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
        yield _buffer("kernel", room.size_bytes, runtime, operator)


def _buffer(
    what: str, size_bytes: Extent, runtime: Runtime, operator: Operator | None = None
) -> Allocation:
    index = None if operator is None else operator.index
    return Allocation(what, size_bytes, runtime.alignment_bytes, index, is_buffer=True)


def _scratch_handles(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    count = sum(request.count for request in scratch_requests(graph, runtime))
    if count != 0:
        handle = runtime.structs["ScratchBufferHandle"]
        yield Allocation("scratch handles", count * handle.size_bytes, handle.alignment_bytes)


def _variables(graph: Graph, runtime: Runtime) -> Iterator[Allocation]:
    for index, tensor in enumerate(graph.tensors):
        is_placed = graph.offline_offsets is not None and graph.offline_offsets[index] >= 0
        if tensor.is_variable and not is_placed:
            yield _buffer(f"variable {index}", tensor.size_bytes, runtime)


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
