"""The smallest arena in which TFLM can allocate a model, predicted.

It can exceed the arena that TFLM uses afterwards, because preparing and planning need working
memory of their own. Source: MicroAllocator and AllocationInfoBuilder of tflite-micro 90b983c
(2026-08-20).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mcuprune.cost.cursor import Cursor
from mcuprune.cost.memory import arena_head
from mcuprune.cost.runtime import REFERENCE, Room, Runtime, load_runtime
from mcuprune.cost.scratch import operator_scratch, scratch_requests
from mcuprune.cost.tail import (
    advance,
    initial_allocations,
    io_allocations,
    plan_allocations,
    prepare_allocations,
)
from mcuprune.ir.dim import align_up
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import BUFFER_ALIGNMENT_BYTES, buffers

_INT_BYTES = 4
# Which inputs a kernel's Prepare looks at, each time together with the outputs: all, once, where
# nothing is said. What it has looked at stays in memory until it is done.
_LOOKS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "AVERAGE_POOL_2D": ((0,), (0,)),  # the reference kernel looks once
    "CONV_2D": ((0, 1), (0, 1, 2)),
    "DEPTHWISE_CONV_2D": ((0, 1), (0, 1, 2)),
    "RESHAPE": ((0,),),
    "TRANSPOSE_CONV": ((1, 2), (1, 2, 3)),
}


def smallest_arena(graph: Graph, runtime: str = REFERENCE, pointer_bits: int | None = None) -> int:
    """Return the bytes, a multiple of 16, of the smallest arena that allocates.

    Args:
        graph: A graph whose dimensions are ints.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: Width of a pointer; None for what the runtime usually has.
    """
    build = load_runtime(runtime, pointer_bits)
    tail = Cursor()
    needs = [*_preparing(graph, build, tail), _planning(graph, build, tail)]
    advance(tail, io_allocations(graph, build))
    needs.append(arena_head(graph, runtime) + int(tail.total))
    return int(align_up(max(needs), BUFFER_ALIGNMENT_BYTES))


def _preparing(graph: Graph, runtime: Runtime, tail: Cursor) -> Iterator[int]:
    """Yield what is needed while each operator prepares, and advance the tail."""
    requested = 0
    advance(tail, initial_allocations(graph, runtime))
    for operator in graph.operators:
        advance(tail, prepare_allocations(graph, operator, runtime))
        head = _requests_bytes(requested, runtime) + _temporary_bytes(graph, operator, runtime)
        yield head + int(tail.total)
        requested += len(operator_scratch(graph, operator, runtime))


def _planning(graph: Graph, runtime: Runtime, tail: Cursor) -> int:
    """Return what the memory planner needs, and advance the tail."""
    advance(tail, plan_allocations(graph, runtime))
    requests = scratch_requests(graph, runtime)
    info = runtime.structs["AllocationInfo"]
    end = _requests_bytes(len(requests), runtime)
    end = _after(end, runtime.structs["SubgraphOffset"])
    end = _after(end, info, len(graph.tensors) + len(requests))
    plan = len(buffers(graph, requests)) * runtime.plan_bytes_per_buffer
    bottom, top = (
        int(align_up(position, BUFFER_ALIGNMENT_BYTES)) for position in (end, tail.total)
    )
    return bottom + plan + top


def _requests_bytes(count: int, runtime: Runtime) -> int:
    room = runtime.structs["ScratchBufferRequest"]
    return (count + runtime.spare_scratch_requests) * room.size_bytes


def _temporary_bytes(graph: Graph, operator: Operator, runtime: Runtime) -> int:
    """Bytes of the tensors that a kernel looks at while preparing."""
    looks = _LOOKS.get(operator.kind, (tuple(range(len(operator.inputs))),))
    positions = [position for look in looks for position in look]
    inputs = [operator.inputs[p] for p in positions if p < len(operator.inputs)]
    tensors = [graph.tensors[index] for index in inputs if index >= 0]
    tensors += graph.output_tensors(operator) * len(looks)
    return sum(_temporary_tensor_bytes(tensor, runtime) for tensor in tensors)


def _temporary_tensor_bytes(tensor: Tensor, runtime: Runtime) -> int:
    end = _after(0, runtime.structs["TfLiteTensor"])
    if tensor.quantization_scales == 0:
        return end
    end = _after(end, runtime.structs["TfLiteAffineQuantization"])
    return end + (1 + int(tensor.quantization_scales)) * _INT_BYTES


def _after(position: int, room: Room, count: int = 1) -> int:
    return int(align_up(position, room.alignment_bytes)) + count * room.size_bytes
