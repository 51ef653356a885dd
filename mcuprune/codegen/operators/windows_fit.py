"""Whether the tensors of convolutions, pools and dense layers fit each other."""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.shape_checks import require_shape
from mcuprune.codegen.operators.windows import positions


def _positions(node: Node, extents: Sequence[int], window: Sequence[int]) -> list[int]:
    """Return how often the operator's window fits along height and width."""
    options = node.operator.attributes
    return [
        positions(
            extent,
            taps,
            options[f"stride_{axis}"],
            options["padding"],
            options.get(f"dilation_{axis}", 1),
        )
        for extent, taps, axis in zip(extents, window, "hw", strict=True)
    ]


def _require_windows(node: Node, window: Sequence[int], channels: int) -> None:
    """Raise unless the output is what a window makes of the first input."""
    node.require_picture()
    require_shape(node, (1, *_positions(node, node.input_shape()[1:3], window), channels))


def _require_weights(node: Node, channels: int, bias: int) -> None:
    """Raise unless the weights are a picture per channel, and the bias a number per channel."""
    shape = node.input_shape(1)
    node.require(min(shape) > 0, f"its weights have the shape {shape}")
    if node.has_input(bias):
        count = node.input(bias).elements
        node.require(count == channels, f"its bias has {count} numbers for {channels} channels")


def _require_rank(node: Node, place: int, rank: int) -> None:
    shape = node.input_shape(place)
    node.require(len(shape) == rank, f"input {place} of shape {shape} should have {rank} axes")


def convolution_fits(node: Node) -> None:
    """CONV_2D: weights ``(out, kh, kw, in / groups)``."""
    _require_rank(node, 1, 4)
    channels, *window, _ = node.input_shape(1)
    _require_weights(node, channels, bias=2)
    _require_windows(node, window, channels)


def depthwise_fits(node: Node) -> None:
    """DEPTHWISE_CONV_2D: weights ``(1, kh, kw, out)``."""
    _require_rank(node, 1, 4)
    filters, *window, channels = node.input_shape(1)
    _require_weights(node, channels, bias=2)
    node.require(filters == 1, f"its weights have the shape {node.input_shape(1)}, not (1, ...)")
    _require_windows(node, window, channels)


def transposed_fits(node: Node) -> None:
    """TRANSPOSE_CONV: weights ``(out, kh, kw, in)``; the data follow from the output."""
    _require_rank(node, 1, 4)
    channels, *window, depth = node.input_shape(1)
    _require_weights(node, channels, bias=3)
    node.require_picture(data=2)
    data = (1, *_positions(node, node.output_shape()[1:3], window), depth)
    node.require(
        node.input_shape(2) == data and node.output_shape()[3] == channels,
        f"data of shape {node.input_shape(2)}; {data} follows from its output",
    )


def pool_fits(node: Node) -> None:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    node.require_picture()
    window = (node.option("filter_h"), node.option("filter_w"))
    _require_windows(node, window, node.input_shape()[3])


def dense_fits(node: Node) -> None:
    """FULLY_CONNECTED: weights ``(out, in)``, any number of rows."""
    _require_rank(node, 1, 2)
    channels, depth = node.input_shape(1)
    _require_weights(node, channels, bias=2)
    rows, rest = divmod(int(node.input().elements), depth)
    node.require(rest == 0, f"{node.input().elements} inputs are no rows of {depth}")
    node.require(
        node.output().elements == rows * channels,
        f"its output has {node.output().elements} elements, not {rows} x {channels}",
    )
