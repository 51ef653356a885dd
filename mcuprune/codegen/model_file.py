"""What code generation needs of a ``.tflite`` file beyond its graph: numbers and scales."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.flatbuffer import Table, root_table
from mcuprune.ir.from_tflite import parse_tflite, sound_file, stored_contents
from mcuprune.ir.graph import Graph, Operator, Tensor

# Slots of schema.fbs: Model.subgraphs, SubGraph.tensors, Tensor.quantization.
_SUBGRAPHS, _TENSORS, _QUANTIZATION = 2, 0, 4


@dataclasses.dataclass(frozen=True)
class Quantization:
    """Scales and zero points of a tensor: ``real = scale * (stored - zero_point)``.

    Attributes:
        scales: float32, one or one per channel; empty if the tensor is not quantized.
        zero_points: As many, or none, which stands for 0.
        axis: Dimension of the channels.
    """

    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0

    @property
    def scale(self) -> float:
        """The first scale."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The first zero point."""
        return self.zero_points[0] if self.zero_points else 0


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A model: graph, stored numbers and quantization.

    Attributes:
        graph: Its graph, in the file's order or another.
        contents: Bytes stored per tensor, empty for activations.
        quantizations: Scales and zero points per tensor.
        spare_bytes: Working memory per operator that makes the arena no larger; none is known yet
            where it is empty.
    """

    graph: Graph
    contents: tuple[bytes, ...]
    quantizations: tuple[Quantization, ...]
    spare_bytes: tuple[int, ...] = ()

    def values(self, tensor: int) -> npt.NDArray[Any]:
        """Return a constant's numbers in the tensor's shape and type."""
        found = self.graph.tensors[tensor]
        count = int(found.elements)
        numbers = np.frombuffer(self.contents[tensor], np.dtype(found.dtype), count)
        return numbers.reshape(self.shape(tensor))

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's dimensions."""
        return tuple(int(dim) for dim in self.graph.tensors[tensor].shape)

    def description(self, tensor: int) -> str:
        """Say of what type and shape a tensor is, and how its numbers stand for real ones."""
        found, quantization = self.graph.tensors[tensor], self.quantizations[tensor]
        text = f"{found.dtype} {'x'.join(map(str, found.shape))}"
        if len(quantization.scales) == 1:
            text += f", scale {quantization.scale:.9g}, zero point {quantization.zero_point}"
        return text


def read_model(model: bytes, name: str) -> ModelFile:
    """Read a file.

    Args:
        model: Contents of the file.
        name: Name for messages.

    Raises:
        InputError: No sound TFLite model.
    """
    graph = parse_tflite(model, name)
    with sound_file(name):
        subgraph = root_table(model, name).tables(_SUBGRAPHS, "subgraph")[0]
        quantizations = tuple(map(_quantization, subgraph.tables(_TENSORS, "tensor")))
    return ModelFile(graph, stored_contents(model, graph), quantizations)


def with_spare(model: ModelFile, spare_bytes: tuple[int, ...]) -> ModelFile:
    """Return the model with what is known of spare memory."""
    return dataclasses.replace(model, spare_bytes=spare_bytes)


def _quantization(tensor: Table) -> Quantization:
    table = tensor.table(_QUANTIZATION, "quantization")
    if table is None:
        return Quantization()
    # QuantizationParameters: scale 2, zero_point 3, quantized_dimension 6.
    return Quantization(
        scales=table.numbers(2, "float32", "scales"),
        zero_points=table.numbers(3, "int64", "zero points"),
        axis=table.number(6, "int32"),
    )


@dataclasses.dataclass(frozen=True)
class Node:
    """One operator of a model, with what its kernel must know.

    Attributes:
        model: The model.
        operator: The operator.
    """

    model: ModelFile
    operator: Operator

    @property
    def title(self) -> str:
        """Position and kind, for messages."""
        return f"operator {self.operator.index} ({self.operator.kind})"

    def option(self, name: str) -> Any:
        """Return one of the operator's options by TFLite's name."""
        return self.operator.attributes[name]

    @property
    def spare_bytes(self) -> int:
        """Working memory that makes the arena no larger."""
        spare = self.model.spare_bytes
        return spare[self.operator.index] if spare else 0

    def has_input(self, place: int) -> bool:
        """Return whether an optional input is present."""
        inputs = self.operator.inputs
        return place < len(inputs) and inputs[place] >= 0

    def input(self, place: int = 0) -> Tensor:
        """Return an input."""
        return self.model.graph.tensors[self.operator.inputs[place]]

    def output(self, place: int = 0) -> Tensor:
        """Return an output."""
        return self.model.graph.tensors[self.operator.outputs[place]]

    def input_shape(self, place: int = 0) -> tuple[int, ...]:
        """Return an input's dimensions."""
        return self.model.shape(self.operator.inputs[place])

    def output_shape(self, place: int = 0) -> tuple[int, ...]:
        """Return an output's dimensions."""
        return self.model.shape(self.operator.outputs[place])

    def input_quantization(self, place: int = 0) -> Quantization:
        """Return an input's quantization."""
        return self.model.quantizations[self.operator.inputs[place]]

    def output_quantization(self, place: int = 0) -> Quantization:
        """Return an output's quantization."""
        return self.model.quantizations[self.operator.outputs[place]]

    def constant(self, place: int) -> npt.NDArray[Any]:
        """Return the numbers of a constant input.

        Raises:
            UnsupportedModelError: It is computed while the model runs.
        """
        self.require(
            self.input(place).is_constant,
            f"input {place} is computed while the model runs; it must be stored in the file",
        )
        return self.model.values(self.operator.inputs[place])

    def require(self, condition: bool, problem: str) -> None:
        """Raise unless the operator has a form that can be generated.

        Raises:
            UnsupportedModelError: Names the operator, its index and the problem.
        """
        if not condition:
            raise UnsupportedModelError(f"no C for {self.title}: {problem}")

    def require_picture(self, data: int = 0) -> None:
        """Raise unless an input and the output are single pictures, ``(1, height, width, depth)``.

        Args:
            data: Which input.

        Raises:
            UnsupportedModelError: One has another rank, or a batch of more than 1.
        """
        for shape in (self.input_shape(data), self.output_shape()):
            self.require(
                len(shape) == 4 and shape[0] == 1,
                f"a tensor of shape {shape}; (1, height, width, depth) is known. "
                "Export with batch 1",
            )

    def require_types(self, *allowed: str, inputs: int = 1) -> None:
        """Raise unless the first inputs and the output all have one of the types.

        Raises:
            UnsupportedModelError: One has another type.
        """
        for tensor in [*(self.input(place) for place in range(inputs)), self.output()]:
            self.require(
                tensor.dtype in allowed,
                f"tensor {tensor.name!r} is {tensor.dtype}; known: {', '.join(allowed)}. "
                "Convert the model to full int8",
            )
