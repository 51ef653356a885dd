"""What the bytes of an arena go to, for the whole model and for each operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mcuprune.cost.cursor import Cursor
from mcuprune.cost.memory import Piece, arena_head, held_pieces
from mcuprune.cost.runtime import REFERENCE, Runtime, load_runtime
from mcuprune.cost.tail import Allocation, allocations
from mcuprune.ir.dim import align_up
from mcuprune.ir.graph import Graph
from mcuprune.planner.lifetimes import BUFFER_ALIGNMENT_BYTES


@dataclasses.dataclass(frozen=True)
class Causes:
    """Bytes of an arena by what they are for.

    Attributes:
        activations: Tensors between operators, inputs and outputs.
        scratch: Working memory of kernels while they run.
        plan_gaps: What the memory plan takes beyond the largest working set.
        persistent_buffers: What kernels keep for good, such as multipliers and shifts per channel,
            and variables.
        structs: TFLM's structures: interpreter, tensors, nodes, options of operators.
        alignment: Padding between all these.
    """

    activations: int = 0
    scratch: int = 0
    plan_gaps: int = 0
    persistent_buffers: int = 0
    structs: int = 0
    alignment: int = 0

    def __add__(self, other: Causes) -> Causes:
        pairs = zip(self._amounts(), other._amounts(), strict=True)
        return Causes(*(mine + others for mine, others in pairs))

    @property
    def total_bytes(self) -> int:
        """All together."""
        return sum(self._amounts())

    def _amounts(self) -> tuple[int, ...]:
        # Not dataclasses.astuple, which copies every number and is most of the time of an estimate.
        return tuple(getattr(self, name) for name in _AMOUNTS)


_AMOUNTS = tuple(field.name for field in dataclasses.fields(Causes))


def operator_causes(
    graph: Graph, runtime: str = REFERENCE, pointer_bits: int | None = None
) -> tuple[Causes, ...]:
    """Return what each operator needs: what is in the head while it runs, what it has in the tail.

    Args:
        graph: A graph whose dimensions are ints.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: Width of a pointer; None for what the runtime usually has.
    """
    build = load_runtime(runtime, pointer_bits)
    tail = dict.fromkeys(range(len(graph.operators)), Causes())
    for operator, causes in _tail(graph, build):
        if operator is not None:
            tail[operator] += causes
    held = held_pieces(graph, runtime)
    return tuple(_working_set(pieces) + tail[operator] for operator, pieces in enumerate(held))


def arena_causes(graph: Graph, runtime: str = REFERENCE, pointer_bits: int | None = None) -> Causes:
    """Return what the arena's bytes go to: the head at its fullest, and all of the tail.

    Args:
        graph: A graph whose dimensions are ints.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: Width of a pointer; None for what the runtime usually has.
    """
    build = load_runtime(runtime, pointer_bits)
    sets = [_working_set(pieces) for pieces in held_pieces(graph, runtime)]
    fullest = max(sets, key=lambda causes: causes.total_bytes, default=Causes())
    gaps = Causes(plan_gaps=arena_head(graph, runtime) - fullest.total_bytes)
    return sum((causes for _, causes in _tail(graph, build)), start=fullest + gaps)


def _working_set(pieces: list[Piece]) -> Causes:
    tensors = sum(int(piece.size_bytes) for piece in pieces if not piece.is_scratch)
    scratch = sum(int(piece.size_bytes) for piece in pieces if piece.is_scratch)
    taken = sum(int(align_up(piece.size_bytes, BUFFER_ALIGNMENT_BYTES)) for piece in pieces)
    return Causes(activations=tensors, scratch=scratch, alignment=taken - tensors - scratch)


def _tail(graph: Graph, runtime: Runtime) -> Iterator[tuple[int | None, Causes]]:
    """Yield for each allocation in the tail its operator and what it takes."""
    used = Cursor()
    for allocation in allocations(graph, runtime):
        before = int(used.total)
        used.advance(allocation.size_bytes, allocation.alignment_bytes)
        yield allocation.operator, _of(allocation, int(used.total) - before)


def _of(allocation: Allocation, taken: int) -> Causes:
    size_bytes = int(allocation.size_bytes)
    padding = taken - size_bytes
    if allocation.is_buffer:
        return Causes(persistent_buffers=size_bytes, alignment=padding)
    return Causes(structs=size_bytes, alignment=padding)
