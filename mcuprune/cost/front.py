"""Counts a model given in any form."""

from __future__ import annotations

import dataclasses
from typing import Any

from mcuprune.budget import Budget
from mcuprune.cost.resources import Resources
from mcuprune.cost.resources import estimate as estimate_graph
from mcuprune.cost.verdict import compare
from mcuprune.ir.read import read_graph


def estimate(
    model: Any,
    runtime: str = "tflm-reference",
    pointer_bits: int = 64,
    *,
    board: str | None = None,
) -> Resources:
    """Return what a model costs on a microcontroller.

    Args:
        model: A built functional or Sequential ``keras.Model``, or the path of a ``.keras``,
            ``.h5`` or ``.tflite`` file.
        runtime: Whose memory to count.
        pointer_bits: Width of a pointer where the runtime executes.
        board: A board of the catalogue. The numbers stay the same; ``fits_board`` tells whether
            its memories hold them.

    Raises:
        UnknownNameError: No such board or runtime; names the nearest.
        InputError: The file is missing, unreadable or malformed.
        UnsupportedModelError: The Keras model cannot be read as a graph.
    """
    budget = None if board is None else Budget.for_board(board)
    resources = estimate_graph(read_graph(model), runtime=runtime, pointer_bits=pointer_bits)
    if budget is None:
        return resources
    fits = compare(resources, budget).fits
    return dataclasses.replace(resources, board=board, fits_board=fits)
