"""Tensors, operators and graphs: the network as the device executes it.

A dimension is an ``int``, or a :class:`~mcuprune.ir.dim.Dim` while the width of a coupling group is
still open. :meth:`Graph.at` puts widths in. The cost formulas take both graphs: over open widths
they give a :class:`~mcuprune.ir.dim.Dim`, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mcuprune.ir.dim import Dim, Extent, ceil_div

__all__ = ["Dim", "Extent", "Graph", "Operator", "Tensor"]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An edge of the graph.

    Attributes:
        name: Name in the file, or made from the layer that produces it.
        shape: Dimensions with the batch (1) first; channels last. Weights as TFLite stores them:
            CONV_2D ``(out, kh, kw, in)``, DEPTHWISE_CONV_2D ``(1, kh, kw, out)``,
            FULLY_CONNECTED ``(out, in)``.
        bits: Bits per element (8, 16, 32, 4 ...).
        dtype: TFLite's name of the type, lower case (``"int8"``, ``"int32"``, ``"float32"``).
        is_constant: True for weights and other data stored in the file.
        is_variable: True for state kept between invocations.
        quantization_scales: Number of scales: 0 if not quantized, 1 per tensor, else per channel.
        stored_bytes: Bytes of data in the file for a constant, if known.
        buffer: Index of the file's buffer; constants with the same index share their bytes.
            None before conversion (each constant has its own).
    """

    name: str
    shape: tuple[Extent, ...]
    bits: int = 8
    dtype: str = "int8"
    is_constant: bool = False
    is_variable: bool = False
    quantization_scales: Extent = 1
    stored_bytes: int | None = None
    buffer: int | None = None

    @property
    def elements(self) -> Extent:
        """Number of elements."""
        count: Extent = 1
        for dim in self.shape:
            count = dim * count
        return count

    @property
    def size_bytes(self) -> Extent:
        """Bytes of the contents, whole bytes for sub-byte types."""
        if self.bits % 8 == 0:
            return self.elements * (self.bits // 8)
        return ceil_div(self.elements * self.bits, 8)


@dataclasses.dataclass(frozen=True)
class Operator:
    """A node of the graph.

    Attributes:
        index: Position in the execution order.
        kind: TFLite's builtin operator name (``"CONV_2D"``), or the custom code.
        inputs: Tensor indices, -1 for an absent optional input.
        outputs: Tensor indices.
        attributes: Options by TFLite's names: ``stride_h``, ``stride_w``, ``dilation_h``,
            ``dilation_w``, ``padding`` ("SAME"/"VALID"), ``fused_activation`` ("NONE", "RELU",
            "RELU6", ...), ``depth_multiplier``, ``filter_h``, ``filter_w``, ``axis``,
            ``keep_dims``, ``version``.
        sources: Names of the Keras layers folded into this operator, in order.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Graph:
    """Operators in execution order over tensors.

    Attributes:
        name: Name of the model.
        tensors: All tensors; operators refer to them by index.
        operators: In execution order.
        inputs: Indices of the model's inputs.
        outputs: Indices of the model's outputs.
        file_bytes: Size of the ``.tflite`` file, None before conversion.
        offline_offsets: Arena offset per tensor (-1: left to the runtime) from the file's
            ``OfflineMemoryAllocation`` metadata, None if absent.
        converted_layers: Path and class of each Keras layer without a rule, whose operators were
            found by converting it alone (:mod:`mcuprune.ir.converted_layer`).
    """

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    file_bytes: int | None = None
    offline_offsets: tuple[int, ...] | None = None
    converted_layers: tuple[str, ...] = ()

    def at(self, widths: Mapping[str, Any]) -> Graph:
        """Return the graph with every open dimension evaluated.

        Args:
            widths: An int for each width.
        """

        def value(dim: Extent) -> Extent:
            return dim.at(widths) if isinstance(dim, Dim) else dim

        return self._map_tensors(
            lambda tensor: dataclasses.replace(
                tensor,
                shape=tuple(value(dim) for dim in tensor.shape),
                quantization_scales=value(tensor.quantization_scales),
            )
        )

    def _map_tensors(self, change: Callable[[Tensor], Tensor]) -> Graph:
        return dataclasses.replace(self, tensors=tuple(change(t) for t in self.tensors))

    def input_tensors(self, operator: Operator) -> list[Tensor]:
        """Return the operator's present inputs, weights included."""
        return [self.tensors[index] for index in operator.inputs if index >= 0]

    def output_tensors(self, operator: Operator) -> list[Tensor]:
        """Return the operator's outputs."""
        return [self.tensors[index] for index in operator.outputs]

    def constants(self) -> Iterator[Tensor]:
        """Yield the tensors whose data is stored in the file, shared buffers once."""
        seen: set[int] = set()
        for tensor in self.tensors:
            if not tensor.is_constant or tensor.buffer in seen:
                continue
            if tensor.buffer is not None:
                seen.add(tensor.buffer)
            yield tensor
