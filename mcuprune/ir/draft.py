"""A graph in the making: the operators of a Keras model before the converter's rewrites.

Layers are first written as the simple operators that TensorFlow runs (:mod:`keras_rules`), then
rewritten like the converter rewrites them (:mod:`keras_folding`). Values and operators are
compared by identity.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.ir.graph import Extent

Shape = tuple[Extent, ...]

# Operators that, with a constant, mean a factor or a summand that weights and bias can take up.
FOLDABLE = frozenset({"MUL", "ADD", "SUB"})


@dataclasses.dataclass(frozen=True, eq=False)
class Value:
    """What flows between operators: one tensor of activations.

    Attributes:
        name: Name of the layer that makes it.
        shape: Dimensions, batch (1) first, channels last.
        bits: Bits per element.
        dtype: TFLite's name of the type.
        scales: Number of quantization scales, 0 for what is not quantized.
    """

    name: str
    shape: Shape
    bits: int = 8
    dtype: str = "int8"
    scales: int = 1


@dataclasses.dataclass(frozen=True)
class Constant:
    """Data that will be stored in the file. Constants with the same key become one tensor.

    Attributes:
        key: What tells it from other constants: the layer and role, or the stored integers.
        shape: Dimensions in TFLite's layout.
        bits: Bits per element.
        dtype: TFLite's name of the type.
        scales: Number of quantization scales.
        content: What its bytes are, where constants that differ in the rest are known to have
            equal ones: the file keeps these once. None for bytes of its own.
        name: What it is called in the graph.
        values: Its numbers as far as known before conversion, empty if not.
    """

    key: Hashable
    shape: Shape = dataclasses.field(compare=False)
    bits: int = dataclasses.field(default=8, compare=False)
    dtype: str = dataclasses.field(default="int8", compare=False)
    scales: Extent = dataclasses.field(default=1, compare=False)
    content: Hashable = dataclasses.field(default=None, compare=False)
    name: str = dataclasses.field(default="", compare=False)
    values: tuple[Any, ...] = dataclasses.field(default=(), compare=False)

    @property
    def number(self) -> float | None:
        """The number that all its elements are; None if they differ or are not known."""
        return self.values[0] if len(set(self.values)) == 1 else None

    @property
    def is_single(self) -> bool:
        """Whether it is one number."""
        return all(dim == 1 for dim in self.shape)

    def is_per_channel(self, value: Value) -> bool:
        """Tell whether it holds one number, or one for each channel of ``value``."""
        if self.is_single:
            return True
        *ones, channels = self.shape
        fits = len(self.shape) <= len(value.shape) and all(dim == 1 for dim in ones)
        return bool(fits and channels == value.shape[-1])


def integers(name: str, values: Sequence[Extent], shape: Shape | None = None) -> Constant:
    """Return a constant of int32.

    Args:
        name: What the numbers are: axes, a shape, paddings.
        values: The numbers.
        shape: Its dimensions; a vector if None.
    """
    shape = (len(values),) if shape is None else shape
    key = ("int32", shape, *values)
    return Constant(key, shape, 32, "int32", scales=0, name=name, values=tuple(values))


def number(value: float) -> Constant:
    """Return one int8 number known before conversion."""
    return numbers(np.float32(value))


def numbers(values: Any, shape: Shape | None = None) -> Constant:
    """Return int8 numbers known before conversion, with one scale for all.

    The scale of a single number makes its byte 127 or -128, so that all of one sign have the same
    bytes.

    Args:
        values: An array, or a number of Python's.
        shape: Its dimensions, where a width is open or they differ from those of the array.
    """
    array = np.asarray(values, np.float32)
    shape = array.shape if shape is None else shape
    return Constant(
        ("numbers", shape, array.tobytes()),
        shape,
        content=("number", bool(array.flat[0] > 0))
        if array.size == 1
        else ("numbers", _as_int8(array)),
        name="number",
        values=tuple(array.flat),
    )


def _as_int8(array: Any) -> bytes:
    """Return the bytes as the converter stores them: int8 covers the numbers and zero."""
    low, high = min(0.0, float(array.min())), max(0.0, float(array.max()))
    scale = (high - low) / 255 or 1.0
    zero_point = round(-128 - low / scale)
    stored = np.clip(np.round(array / scale) + zero_point, -128, 127).astype(np.int8)
    return bytes(stored.tobytes())


Operand = Value | Constant | None


@dataclasses.dataclass(frozen=True, eq=False)
class Draft:
    """An operator that rewrites may still change; fields as in :class:`graph.Operator`."""

    kind: str
    inputs: tuple[Operand, ...]
    outputs: tuple[Value, ...]
    attributes: Mapping[str, Any]
    sources: tuple[str, ...]

    @property
    def output(self) -> Value:
        """The first output."""
        return self.outputs[0]

    def value_inputs(self) -> tuple[Value, ...]:
        """Return the inputs that are no constants."""
        return tuple(operand for operand in self.inputs if isinstance(operand, Value))

    def constant(self) -> Constant | None:
        """Return the constant of an operator on one value and one constant, else None."""
        match self.inputs:
            case (Value(), Constant() as constant) | (Constant() as constant, Value()):
                return constant
        return None

    def only_adds_constant(self) -> bool:
        """Tell whether it is arithmetic on a value and a constant that weights can take up.

        A number from which the value is subtracted is none: it turns the value's sign.
        """
        if self.kind not in FOLDABLE or self.constant() is None:
            return False
        return self.kind != "SUB" or isinstance(self.inputs[0], Value)

    def reading(self, old: Value, new: Value) -> Draft:
        """Return a copy that reads another value."""
        inputs = tuple(new if operand is old else operand for operand in self.inputs)
        return dataclasses.replace(self, inputs=inputs)

    def with_attributes(self, **changes: Any) -> Draft:
        """Return a copy with some attributes changed."""
        return dataclasses.replace(self, attributes={**self.attributes, **changes})


@dataclasses.dataclass(frozen=True)
class Program:
    """Draft operators in execution order."""

    operators: tuple[Draft, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
