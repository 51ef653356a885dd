"""Counts a model given in any form."""

from __future__ import annotations

import dataclasses
from typing import Any

from mcuprune.boards import board as find_board
from mcuprune.budget import Budget
from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.fitting import boards_that_fit
from mcuprune.cost.resources import Resources
from mcuprune.cost.resources import estimate as estimate_graph
from mcuprune.cost.runtime import REFERENCE
from mcuprune.cost.timing import with_time
from mcuprune.cost.verdict import compare
from mcuprune.ir.read import read_graph


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
        return dataclasses.replace(resources, boards_that_fit=boards_that_fit(graph))
    budget, usual = Budget.for_board(board), runtime_of_board(board)
    graph = read_graph(model)
    resources = estimate_graph(graph, runtime or usual, pointer_bits or BOARD_POINTER_BITS)
    fits = compare(resources, budget).fits
    resources = dataclasses.replace(resources, board=board, fits_board=fits)
    return with_time(resources, graph, find_board(board))
