"""Counts a model given in any form."""

from __future__ import annotations

import dataclasses
from typing import Any

from mcuprune.boards import board as find_board
from mcuprune.budget import Budget
from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.fitting import boards_that_fit
from mcuprune.cost.resources import PLANNED, Resources
from mcuprune.cost.resources import estimate as estimate_graph
from mcuprune.cost.runtime import REFERENCE, load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.cost.timing import with_time
from mcuprune.cost.verdict import compare
from mcuprune.ir.graph import Graph
from mcuprune.ir.read import read_graph
from mcuprune.planner.offline import plan_offline

# What a first look may take; `deploy` and `optimize` search longer.
PLAN_TIME_LIMIT_S = 1.0


def estimate(
    model: Any,
    runtime: str | None = None,
    pointer_bits: int | None = None,
    *,
    board: str | None = None,
) -> Resources:
    """Return what a model costs on a microcontroller.

    Args:
        model: A built functional or Sequential ``keras.Model``, or the path of a ``.keras``,
            ``.h5`` or ``.tflite`` file.
        runtime: Whose memory to count, a name of :data:`mcuprune.cost.runtime.RUNTIMES`; None for
            the board's, or the reference kernels without a board.
        pointer_bits: Width of a pointer where the runtime executes; None for what it usually has,
            and 32 on a board.
        board: A board of the catalogue: ``fits_board`` tells whether its memories hold the model,
            ``latency_ms`` and ``energy_mj`` what an inference takes there. Without one,
            ``boards_that_fit`` names those that hold it.

    Raises:
        UnknownNameError: No such board or runtime; names the nearest.
        InputError: The file is missing, unreadable or malformed.
        UnsupportedModelError: The Keras model cannot be read as a graph.
    """
    if board is None:
        graph = read_graph(model)
        resources = estimate_graph(graph, runtime or REFERENCE, pointer_bits)
        resources = dataclasses.replace(resources, boards_that_fit=boards_that_fit(graph))
        return _with_plan(resources, graph)
    budget, usual = Budget.for_board(board), runtime_of_board(board)
    graph = read_graph(model)
    resources = estimate_graph(graph, runtime or usual, pointer_bits or BOARD_POINTER_BITS)
    fits = compare(resources, budget).fits
    resources = dataclasses.replace(resources, board=board, fits_board=fits)
    return _with_plan(with_time(resources, graph, find_board(board)), graph)


def _with_plan(resources: Resources, graph: Graph) -> Resources:
    """Return resources with the arena that a memory plan in the file would leave."""
    scratch = scratch_requests(graph, load_runtime(resources.runtime))
    plan = plan_offline(graph, scratch, time_limit_s=PLAN_TIME_LIMIT_S)
    return dataclasses.replace(
        resources,
        arena_planned_bytes=plan.head_bytes + resources.arena_tail_bytes,
        provenance={**resources.provenance, "arena_planned_bytes": PLANNED},
    )
