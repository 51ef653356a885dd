"""Between real numbers and the integers at a model's input and output."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array, as_arrays
from mcuprune.errors import InputError
from mcuprune.ir.flatbuffer import root_table
from mcuprune.ir.from_tflite import parse_tflite


@dataclasses.dataclass(frozen=True)
class Quantization:
    """An affine mapping ``real = scale * (stored - zero_point)``.

    Attributes:
        scale: Real value of one step.
        zero_point: Stored number that stands for 0.0.
        dtype: Integer type, ``"int8"``, ``"uint8"`` or ``"int16"``.
    """

    scale: float
    zero_point: int
    dtype: str

    def quantize(self, values: Array) -> Array:
        """Quantize real values as TFLite's QUANTIZE does.

        The quotient is rounded half away from zero (``numpy.round`` would take the even
        neighbour), then shifted and clipped to the type.

        Args:
            values: Real numbers, any shape.

        Returns:
            Integers of the same shape.

        >>> Quantization(0.5, 10, "int8").quantize(np.array([0.0, 0.25, 0.75, -0.25, 1e9]))
        array([ 10,  11,  12,   9, 127], dtype=int8)
        """
        quotient = np.asarray(values, np.float32) / np.float32(self.scale)
        # float64: in float32, 0.49999997 + 0.5 is 1.0 and would be rounded up.
        magnitude = np.floor(np.abs(quotient).astype(np.float64) + 0.5)
        limits = np.iinfo(self.dtype)
        shifted = np.copysign(magnitude, quotient) + self.zero_point
        stored: Array = np.clip(shifted, limits.min, limits.max).astype(self.dtype)
        return stored

    def dequantize(self, stored: Array) -> Array:
        """Return the real values, float32, of stored integers.

        >>> Quantization(0.5, 10, "int8").dequantize(np.array([10, 12], np.int8))
        array([0., 1.], dtype=float32)
        """
        return ((stored.astype(np.float64) - self.zero_point) * self.scale).astype(np.float32)


def input_quantization(model: bytes) -> Quantization:
    """Return the quantization of a model's first input.

    Raises:
        InputError: No sound TFLite model, or the input is not quantized per tensor.
    """
    return _quantization(model, parse_tflite(model, "the model").inputs, "input")


def output_quantization(model: bytes) -> Quantization:
    """Return the quantization of a model's first output.

    Raises:
        InputError: No sound TFLite model, or the output is not quantized per tensor.
    """
    return _quantization(model, parse_tflite(model, "the model").outputs, "output")


def tensor_quantization(model: bytes, index: int) -> Quantization:
    """Return the quantization of a tensor, by its place in the model's first subgraph.

    Raises:
        InputError: No sound TFLite model, or the tensor is not quantized per tensor.
    """
    return _quantization(model, (index,), "tensor")


def quantized_inputs(model: bytes, inputs: Array | Sequence[Array]) -> tuple[Array, ...]:
    """Return what to give an engine for real inputs.

    Args:
        model: Contents of a ``.tflite`` file.
        inputs: Real numbers, shape ``(n, ...)``; a list of such arrays for several inputs.
            Integers (of an embedding) where the model takes int32.

    Raises:
        InputError: No sound TFLite model, or an input is float or not quantized per tensor.
    """
    graph = parse_tflite(model, "the model")
    return tuple(
        array.astype(np.int32)
        if graph.tensors[index].dtype == "int32"
        else _quantization(model, (index,), "input").quantize(array)
        for index, array in zip(graph.inputs, as_arrays(inputs), strict=True)
    )


def _quantization(model: bytes, indices: tuple[int, ...], what: str) -> Quantization:
    tensor = parse_tflite(model, "the model").tensors[indices[0]]
    if tensor.quantization_scales != 1 or tensor.dtype not in ("int8", "uint8", "int16"):
        raise InputError(
            f"the model's {what} {tensor.name!r} is {tensor.dtype} with "
            f"{tensor.quantization_scales} scales: a full-integer model with one scale is needed. "
            "Convert the model with mcuprune.deploy()."
        )
    # Slots of schema.fbs: Model.subgraphs 2, SubGraph.tensors 0, Tensor.quantization 4.
    subgraph = root_table(model, "model").tables(2, "subgraph")[0]
    table = subgraph.tables(0, "tensor")[indices[0]].table(4, "quantization")
    scales = table.numbers(2, "float32", "scales") if table else ()
    zero_points = table.numbers(3, "int64", "zero points") if table else ()
    return Quantization(scales[0], zero_points[0] if zero_points else 0, tensor.dtype)
