"""What every engine takes and gives back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from mcuprune.errors import EngineError
from mcuprune.ir.graph import Graph, Tensor

Array: TypeAlias = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class ArenaUse:
    """Bytes of the tensor arena that a run really used.

    Attributes:
        head_bytes: Activations and scratch (non-persistent).
        tail_bytes: Structs and per-channel parameters (persistent).
        total_bytes: Both.
    """

    head_bytes: int
    tail_bytes: int
    total_bytes: int


@dataclasses.dataclass(frozen=True)
class EngineRun:
    """What an engine answered.

    Attributes:
        all_outputs: Quantized answers of each output of the model, shape ``(n, ...)``.
        arena: Arena used; None for an engine without one.
        engine: Name of the engine.
        version: Version of the runtime behind it.
    """

    all_outputs: tuple[Array, ...]
    arena: ArenaUse | None
    engine: str
    version: str

    @property
    def outputs(self) -> Array:
        """Answers of the model's first output, often its only one."""
        return self.all_outputs[0]


class Engine(Protocol):
    """Executes a quantized model."""

    @property
    def name(self) -> str:
        """Name of the engine."""

    def run(self, model: bytes, inputs: Array | Sequence[Array]) -> EngineRun:
        """Execute the model on each input by itself (state is reset in between).

        Args:
            model: Contents of a ``.tflite`` file, batch 1.
            inputs: Quantized inputs, shape ``(n, ...)``, in the dtype of the model's input; for a
                model with several inputs a list of such arrays, equally long.

        Raises:
            InputError: The model is no sound TFLite file.
            EngineError: The inputs do not match the model, or the engine refuses it.
        """


def as_arrays(values: Array | Sequence[Array]) -> tuple[Array, ...]:
    """Return one array for each input or output; a lone array stands for one of them."""
    return (values,) if isinstance(values, np.ndarray) else tuple(values)


def matching_inputs(graph: Graph, inputs: Array | Sequence[Array]) -> tuple[Array, ...]:
    """Check quantized inputs against the model's inputs and return one array for each.

    Raises:
        EngineError: Wrong number of arrays, wrong shape or dtype, or no inputs at all.
    """
    arrays = as_arrays(inputs)
    if len(arrays) != len(graph.inputs) or not arrays:
        raise EngineError(
            f"{len(arrays)} arrays of inputs were given, {graph.name} has {len(graph.inputs)} "
            "inputs: give a list with one array for each"
        )
    for index, array in zip(graph.inputs, arrays, strict=True):
        _require_fitting(graph, graph.tensors[index], array)
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise EngineError(f"the inputs hold {counts} samples: give equally many for each input")
    return arrays


def _require_fitting(graph: Graph, tensor: Tensor, inputs: Array) -> None:
    if inputs.ndim == 0 or tuple(inputs.shape[1:]) != tuple(tensor.shape[1:]) or not len(inputs):
        wanted = ("n", *tensor.shape[1:])
        raise EngineError(
            f"the inputs have the shape {inputs.shape}, {graph.name} takes "
            f"({', '.join(map(str, wanted))}) with n of at least 1: reshape them"
        )
    if inputs.dtype != np.dtype(tensor.dtype):
        raise EngineError(
            f"the inputs are {inputs.dtype}, {graph.name} takes {tensor.dtype}: quantize them "
            "with mcuprune.engines.quantization.quantized_inputs(model, inputs)"
        )
