"""What every engine takes and gives back."""

from __future__ import annotations

import dataclasses
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
        outputs: Quantized outputs, shape ``(n, ...)``.
        arena: Arena used; None for an engine without one.
        engine: Name of the engine.
        version: Version of the runtime behind it.
    """

    outputs: Array
    arena: ArenaUse | None
    engine: str
    version: str


class Engine(Protocol):
    """Executes a quantized model."""

    @property
    def name(self) -> str:
        """Name of the engine."""

    def run(self, model: bytes, inputs: Array) -> EngineRun:
        """Execute the model on each input by itself (state is reset in between).

        Args:
            model: Contents of a ``.tflite`` file with one input and one output, batch 1.
            inputs: Quantized inputs, shape ``(n, ...)``, in the dtype of the model's input.

        Raises:
            InputError: The model is no sound TFLite file.
            EngineError: The inputs do not match the model, or the engine refuses it.
        """


def sole_input(graph: Graph) -> Tensor:
    """Return the model's only input.

    Raises:
        EngineError: The model has several inputs or outputs, or none.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise EngineError(
            f"{graph.name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "the engines run models with one of each. Split the model, or concatenate."
        )
    return graph.tensors[graph.inputs[0]]


def require_matching_inputs(graph: Graph, inputs: Array) -> None:
    """Check quantized inputs against the model's input.

    Raises:
        EngineError: Wrong shape or dtype, or no inputs at all.
    """
    tensor = sole_input(graph)
    if inputs.ndim == 0 or tuple(inputs.shape[1:]) != tuple(tensor.shape[1:]) or not len(inputs):
        wanted = ("n", *tensor.shape[1:])
        raise EngineError(
            f"the inputs have the shape {inputs.shape}, {graph.name} takes "
            f"({', '.join(map(str, wanted))}) with n of at least 1: reshape them"
        )
    if inputs.dtype != np.dtype(tensor.dtype):
        raise EngineError(
            f"the inputs are {inputs.dtype}, {graph.name} takes {tensor.dtype}: quantize them "
            "with mcuprune.engines.quantization.input_quantization(model).quantize(inputs)"
        )
