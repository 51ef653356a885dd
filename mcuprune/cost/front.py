"""Counts a model given in any form."""

from __future__ import annotations

from typing import Any

from mcuprune.cost.resources import Resources
from mcuprune.cost.resources import estimate as estimate_graph
from mcuprune.ir.read import read_graph


def estimate(model: Any, runtime: str = "tflm-reference", pointer_bits: int = 64) -> Resources:
    """Return what a model costs on a microcontroller.

    Args:
        model: A built functional or Sequential ``keras.Model``, or the path of a ``.keras``,
            ``.h5`` or ``.tflite`` file.
        runtime: Whose memory to count.
        pointer_bits: Width of a pointer where the runtime executes.

    Raises:
        InputError: The file is missing, unreadable or malformed.
        UnsupportedModelError: The Keras model cannot be read as a graph.
    """
    return estimate_graph(read_graph(model), runtime=runtime, pointer_bits=pointer_bits)
