"""SRAM: working sets, the arena's head (TFLM's greedy plan) and its total."""

from __future__ import annotations

import dataclasses

from mcuprune.cost.runtime import REFERENCE, load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.cost.tail import arena_tail
from mcuprune.ir.dim import Extent, align_up
from mcuprune.ir.graph import Graph
from mcuprune.planner.greedy import MemoryPlan, greedy_plan
from mcuprune.planner.in_place import places_in_file
from mcuprune.planner.lifetimes import (
    BUFFER_ALIGNMENT_BYTES,
    NEVER,
    buffers,
    lifetimes,
    step_of,
)

__all__ = [
    "arena_head",
    "arena_plan",
    "arena_tail",
    "arena_total",
    "held_pieces",
    "largest_working_set",
    "live_tensors",
    "Piece",
    "working_sets",
]


@dataclasses.dataclass(frozen=True)
class Piece:
    """Something in SRAM while an operator runs.

    Attributes:
        name: The tensor's name, or ``scratch``.
        size_bytes: Its bytes before alignment, known or open.
        is_scratch: Whether it is the kernel's working memory.
    """

    name: str
    size_bytes: Extent
    is_scratch: bool = False


def live_tensors(graph: Graph, runtime: str = REFERENCE) -> list[list[tuple[str, Extent]]]:
    """Return, per operator, the names and bytes of what must be in SRAM while it runs.

    Args:
        graph: A graph, its widths known or open.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`: kernels differ in the scratch
            memory that they ask for.

    Returns:
        For each operator pairs of name and bytes, each aligned up to 16 as the planner does;
        the kernel's scratch memory is named ``scratch``. Tensors that the file's plan puts in one
        place are counted once.
    """
    return [
        [(piece.name, align_up(piece.size_bytes, BUFFER_ALIGNMENT_BYTES)) for piece in pieces]
        for pieces in held_pieces(graph, runtime)
    ]


def held_pieces(graph: Graph, runtime: str = REFERENCE) -> list[list[Piece]]:
    """Return, per operator, what :func:`live_tensors` tells, each with its own size.

    Args:
        graph: A graph, its widths known or open.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
    """
    planned = [life for life in lifetimes(graph) if life.last_step != NEVER]
    place = places_in_file(graph)
    pieces: list[list[Piece]] = []
    for operator in graph.operators:
        held: dict[int, Piece] = {}
        for life in planned:
            if life.covers(step_of(operator.index)):
                tensor = graph.tensors[life.tensor]
                piece = Piece(tensor.name or f"tensor {life.tensor}", tensor.size_bytes)
                held.setdefault(place.get(life.tensor, life.tensor), piece)
        pieces.append(list(held.values()))
    for request in scratch_requests(graph, load_runtime(runtime)):
        pieces[request.operator].append(Piece("scratch", request.size_bytes, is_scratch=True))
    return pieces


def working_sets(graph: Graph, runtime: str = REFERENCE) -> list[Extent]:
    """Return the bytes that must be in SRAM while each operator runs, in execution order.

    Args:
        graph: A graph, its widths known or open.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
    """
    live = live_tensors(graph, runtime)
    return [sum(size_bytes for _, size_bytes in tensors) for tensors in live]


def largest_working_set(graph: Graph, runtime: str = REFERENCE) -> int:
    """Return the largest working set in bytes: no memory plan can be smaller."""
    return max(working_sets(graph, runtime), default=0)


def arena_plan(graph: Graph, runtime: str = REFERENCE) -> MemoryPlan:
    """Return TFLM's memory plan of a graph whose dimensions are ints."""
    return greedy_plan(buffers(graph, scratch_requests(graph, load_runtime(runtime))))


def arena_head(graph: Graph, runtime: str = REFERENCE) -> int:
    """Return the bytes of the arena's head: the size of TFLM's plan. Dimensions must be ints."""
    return arena_plan(graph, runtime).size_bytes


def arena_total(graph: Graph, pointer_bits: int | None = None, runtime: str = REFERENCE) -> int:
    """Return the bytes of the arena, head and tail. Dimensions must be ints."""
    return arena_head(graph, runtime) + int(arena_tail(graph, pointer_bits, runtime))
