"""What a layer rule works with: one layer call, its tensors, and a place to put operators."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.dim import Dim, Extent
from mcuprune.ir.draft import Constant, Draft, Operand, Shape, Value, integers, numbers
from mcuprune.ir.keras_graph import LayerCall, TensorKey
from mcuprune.ir.layer_rules import LayerRules

_ARITHMETIC_WITH_ACTIVATION = ("ADD", "DIV", "MUL", "SUB")


@dataclasses.dataclass
class Step:
    """One layer call being written as operators.

    Attributes:
        call: The layer call.
        inputs: What it reads.
        shapes: Shape of each of its outputs, batch 1.
        open: Dimensions of weights and integers of layers that depend on open widths, by
            ``"layer.kernel[-2]"`` and ``"layer.groups"``.
        operators: What has been emitted so far.
        refusal: Why the layer's rule does not know it, if it has one that does not.
    """

    call: LayerCall
    inputs: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    open: Mapping[str, Dim] = dataclasses.field(default_factory=dict)
    operators: list[Draft] = dataclasses.field(default_factory=list)
    refusal: UnsupportedModelError | None = None

    @property
    def layer(self) -> Any:
        """The Keras layer."""
        return self.call.layer

    @property
    def shape(self) -> Shape:
        """Shape of the first output."""
        return self.shapes[0]

    @property
    def input(self) -> Value:
        """The first input."""
        return self.inputs[0]

    def weight_dim(self, weight: str, axis: int) -> Extent:
        """Return a dimension of one of the layer's weights, which may be open."""
        present = int(getattr(self.layer, weight).shape[axis])
        return self.open.get(f"{self.call.name}.{weight}[{axis}]", present)

    def size(self, key: str) -> Extent:
        """Return an integer that the layer keeps, which may be open."""
        return self.open.get(f"{self.call.name}.{key}", getattr(self.layer, key))

    @property
    def operands(self) -> tuple[Value | Constant, ...]:
        """What an operation such as ``x + 3.0`` works on: values, and constants among them."""
        values = dict(zip(self.call.inputs, self.inputs, strict=True))
        return tuple(
            values[operand] if isinstance(operand, TensorKey) else self._numbers(operand)
            for operand in self.call.operands
        )

    def _numbers(self, given: Any) -> Constant:
        """Return a constant; one number per channel follows the channels' width."""
        shape = np.shape(given)
        channels = self.call.node.outputs[0].shape[-1]
        if shape and shape[-1] == channels != 1:
            return numbers(given, (*shape[:-1], self.shape[-1]))
        return numbers(given)

    def emit(self, kind: str, inputs: Sequence[Operand], shape: Shape, **attributes: Any) -> Value:
        """Add an operator; return what it makes."""
        (output,) = self.emit_all(kind, inputs, [shape], **attributes)
        return output

    def emit_all(
        self, kind: str, inputs: Sequence[Operand], shapes: Sequence[Shape], **attributes: Any
    ) -> tuple[Value, ...]:
        """Add an operator with several outputs; return them."""
        outputs = tuple(Value(self.call.name, shape) for shape in shapes)
        self.operators.append(Draft(kind, tuple(inputs), outputs, attributes, (self.call.name,)))
        return outputs

    def compare(self, kind: str, value: Value, constant: Constant) -> Value:
        """Add a comparison with a constant; its result is of type bool."""
        output = Value(self.call.name, value.shape, dtype="bool", scales=0)
        self.operators.append(Draft(kind, (value, constant), (output,), {}, (self.call.name,)))
        return output

    def arithmetic(self, kind: str, left: Value | Constant, right: Value | Constant) -> Value:
        """Add an elementwise operator on two operands that broadcast."""
        shape = _broadcast(left.shape, right.shape)
        fused = {"fused_activation": "NONE"} if kind in _ARITHMETIC_WITH_ACTIVATION else {}
        return self.emit(kind, [left, right], shape, **fused)

    def reshape(self, value: Value, shape: Shape) -> Value:
        """Add RESHAPE, also where it changes nothing: the converter sees it too."""
        return self.emit("RESHAPE", [value, integers("shape", shape)], shape)

    def pad(self, value: Value, pairs: Sequence[Sequence[int]]) -> Value:
        """Add PAD.

        Args:
            value: What to pad.
            pairs: Zeros before and after, for each spatial axis.
        """
        padding = tuple((before, after) for before, after in [(0, 0), *pairs, (0, 0)])
        shape: Shape = tuple(
            dim if pair == (0, 0) else dim + sum(pair)
            for dim, pair in zip(value.shape, padding, strict=True)
        )
        constant = integers("paddings", [n for pair in padding for n in pair], (len(padding), 2))
        return self.emit("PAD", [value, constant], shape)

    def window(
        self, strides: Sequence[int], padding: str, dilation: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """Return the attributes of an operator that slides over an image.

        Args:
            strides: Vertical, horizontal.
            padding: ``"same"`` or ``"valid"``.
            dilation: Vertical, horizontal; None for an operator without.
        """
        attributes = {
            "padding": padding.upper(),
            "stride_h": strides[0],
            "stride_w": strides[1],
            "fused_activation": "NONE",
        }
        if dilation is not None:
            attributes |= {"dilation_h": dilation[0], "dilation_w": dilation[1]}
        return attributes

    def weights(self, role: str, shape: Shape) -> Constant:
        """Return weights with a scale per output channel, the same for each call of the layer."""
        name = f"{self.call.name}/{role}"
        scales = shape[-1] if role == "depthwise_kernel" else shape[0]
        return Constant(name, shape, scales=scales, name=name)

    def bias(self, channels: Extent, is_stored: bool, role: str = "bias") -> Constant:
        """Return a bias, of zeros where the layer has none.

        Its scale depends on the input's, so a shared layer has a bias for each input.
        """
        name = f"{self.call.name}/{role}"
        return Constant(
            (name, self.input),
            (channels,),
            bits=32,
            dtype="int32",
            scales=channels,
            content=None if is_stored else ("zeros", channels),
            name=name,
        )

    def per_tensor(self, role: str, shape: Shape) -> Constant:
        """Return int8 numbers with one scale for all."""
        name = f"{self.call.name}/{role}"
        return Constant(name, shape, name=name)

    def require_channels_last(self) -> None:
        """Refuse a layer that keeps channels first.

        Raises:
            UnsupportedModelError: It does.
        """
        if getattr(self.layer, "data_format", "channels_last") != "channels_last":
            raise self.unsupported("it keeps channels first: use data_format='channels_last'")

    def unsupported(self, reason: str) -> UnsupportedModelError:
        """Return the error for a layer that cannot be written as operators."""
        return UnsupportedModelError(f"layer {self.call.name!r} ({self.call.kind}): {reason}")


def image_shape(shape: Shape) -> Shape:
    """Return the shape of a sequence ``(1, length, channels)`` as an image of height 1."""
    return (shape[0], 1, *shape[1:])


def _broadcast(left: Shape, right: Shape) -> Shape:
    rank = max(len(left), len(right))
    padded = [(1,) * (rank - len(shape)) + shape for shape in (left, right)]
    return tuple(b if a == 1 else a for a, b in zip(*padded, strict=True))


# A rule for a layer with several outputs returns a value for each.
Rule = Callable[[Step], Value | tuple[Value, ...]]

RULES = LayerRules[Rule]()
rule = RULES.register
