"""Inputs to simulate with: random ones, or a user's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array, as_arrays, matching_inputs
from mcuprune.engines.quantization import quantized_inputs
from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Tensor

_SEED = 0


def random_inputs(graph: Graph, count: int) -> tuple[Array, ...]:
    """Return inputs that fill the range of the model's types, the same at each call.

    Args:
        graph: A model whose inputs are integers or float32.
        count: How many; the second holds the smallest number throughout, the third the largest.

    Raises:
        InputError: ``count`` is not at least 1.
    """
    if count < 1:
        raise InputError(f"{count} inputs were asked for: give at least 1")
    generator = np.random.default_rng(_SEED)
    return tuple(_random(generator, graph.tensors[index], count) for index in graph.inputs)


def _random(generator: np.random.Generator, tensor: Tensor, count: int) -> Array:
    shape = (count, *map(int, tensor.shape[1:]))
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        raise InputError(
            f"input {tensor.name!r} is {tensor.dtype}, whose sensible numbers are not known: give "
            "inputs as a .npy file"
        )
    limits = np.iinfo(dtype)
    values = generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    values[1:2], values[2:3] = limits.min, limits.max
    return values


def given_inputs(model: bytes, graph: Graph, given: Array | Sequence[Array]) -> tuple[Array, ...]:
    """Return a user's inputs in the model's shapes and types.

    Args:
        model: Contents of a ``.tflite`` file.
        graph: The model's graph.
        given: Shape ``(n, ...)``, with as many numbers per sample as the model takes; real
            numbers are quantized. A list of such arrays for several inputs.

    Raises:
        EngineError: Wrong number of arrays, wrong sizes or integer types.
        InputError: Real numbers for a model whose input has no quantization.
    """
    shaped = tuple(
        _shaped(array, graph.tensors[index])
        for array, index in zip(as_arrays(given), graph.inputs, strict=False)
    )
    wants_floats = any(graph.tensors[index].dtype.startswith("float") for index in graph.inputs)
    if not wants_floats and any(array.dtype.kind == "f" for array in shaped):
        shaped = quantized_inputs(model, shaped)
    return matching_inputs(graph, shaped)


def _shaped(array: Array, tensor: Tensor) -> Array:
    wanted = tuple(map(int, tensor.shape[1:]))
    holds_it = array.ndim > 0 and array[:1].size == math.prod(wanted)
    return array.reshape(len(array), *wanted) if holds_it else array
