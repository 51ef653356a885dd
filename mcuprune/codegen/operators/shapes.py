"""Whether an operator's tensors fit each other, so that no kernel reaches outside of them.

A file states every tensor's shape, and nothing makes it state shapes that belong together. An
interpreter computes them again when it prepares a model; here they are held against each other
before any C is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import windows_fit
from mcuprune.codegen.operators.shape_checks import (
    require_axis,
    require_same_type,
    require_shape,
    whole_numbers,
)

# How many inputs and outputs an operator must have; further inputs are optional.
_ARITY: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("ADD", "SUB", "MUL", "PRELU"), (2, 1)),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), (2, 1)),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), (2, 1)),
    **dict.fromkeys(("PAD", "PADV2", "TRANSPOSE", "SPLIT"), (2, 1)),
    **dict.fromkeys(("TRANSPOSE_CONV", "SLICE", "SPLIT_V"), (3, 1)),
    "STRIDED_SLICE": (4, 1),
}


def require_fitting_shapes(node: Node) -> None:
    """Raise unless the shapes of an operator's tensors belong together.

    Args:
        node: An operator that has C kernels.

    Raises:
        UnsupportedModelError: Names the operator and what does not fit.
    """
    inputs, outputs = _ARITY.get(node.operator.kind, (1, 1))
    found = len(node.operator.inputs), len(node.operator.outputs)
    node.require(
        found[0] >= inputs and found[1] >= outputs,
        f"it has {found[0]} inputs and {found[1]} outputs; it needs {inputs} and {outputs}",
    )
    node.require(
        all(node.has_input(place) for place in range(inputs)), "one of its inputs is left out"
    )
    _RULES[node.operator.kind](node)


def _elementwise(node: Node) -> None:
    node.require(
        node.input().elements == node.output().elements,
        f"its input has {node.input().elements} elements, its output {node.output().elements}",
    )


def _same_bytes(node: Node) -> None:
    require_same_type(node, [0])
    _elementwise(node)


def _same_shape(node: Node) -> None:
    node.require(len(node.input_shape()) > 0, "its input has no dimension")
    require_shape(node, node.input_shape())


def _broadcast(node: Node) -> None:
    shapes = [node.input_shape(place) for place in (0, 1)]
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        expected = ()
        node.require(False, f"the shapes {shapes[0]} and {shapes[1]} do not broadcast")
    require_shape(node, expected)


def _transpose(node: Node) -> None:
    require_same_type(node, [0])
    shape = node.input_shape()
    order = [require_axis(node, axis, len(shape)) for axis in whole_numbers(node, 1, len(shape))]
    node.require(sorted(order) == [*range(len(shape))], f"{order} is no order of its axes")
    require_shape(node, [shape[axis] for axis in order])


def _concatenation(node: Node) -> None:
    places = range(len(node.operator.inputs))
    require_same_type(node, places)
    target = node.output_shape()
    axis = require_axis(node, node.option("axis"), len(target))
    shapes = [node.input_shape(place) for place in places]
    node.require(
        all(len(shape) == len(target) for shape in shapes), "its inputs have other dimensions"
    )
    total = sum(shape[axis] for shape in shapes)
    for shape in shapes:
        require_shape(node, [*shape[:axis], total, *shape[axis + 1 :]])


def _split(node: Node) -> None:
    _require_parts(node, data=1, axis=whole_numbers(node, 0, 1)[0])


def _split_v(node: Node) -> None:
    _require_parts(node, data=0, axis=whole_numbers(node, 2, 1)[0])


def _require_parts(node: Node, data: int, axis: int) -> None:
    require_same_type(node, [data])
    source = node.input_shape(data)
    axis = require_axis(node, axis, len(source))
    parts = [node.output_shape(place) for place in range(len(node.operator.outputs))]
    sizes = [part[axis] if len(part) == len(source) else 0 for part in parts]
    node.require(sum(sizes) == source[axis], f"parts of {sizes} make no axis of {source[axis]}")
    for place, size in enumerate(sizes):
        require_shape(node, [*source[:axis], size, *source[axis + 1 :]], place)


def _slice(node: Node) -> None:
    require_same_type(node, [0])
    source, target = node.input_shape(), node.output_shape()
    begins = whole_numbers(node, 1, len(source))
    node.require(len(target) == len(source), f"its output has {len(target)} dimensions")
    for begin, size, extent in zip(begins, target, source, strict=True):
        node.require(
            begin >= 0 and begin + size <= extent,
            f"{size} elements from {begin} do not lie within {extent}",
        )


def _strided_slice(node: Node) -> None:
    require_same_type(node, [0])
    count = int(node.input(1).elements)
    node.require(count <= len(node.input_shape()), f"it slices {count} axes of its input")
    *_, strides = (whole_numbers(node, place, count) for place in (1, 2, 3))
    node.require(0 not in strides, "it goes on by no step at all")


def _pad(node: Node) -> None:
    require_same_type(node, [0])
    source = node.input_shape()
    numbers = whole_numbers(node, 1, 2 * len(source))
    node.require(min(numbers, default=0) >= 0, f"it pads by {min(numbers, default=0)}")
    before, after = numbers[::2], numbers[1::2]
    require_shape(node, [sum(sizes) for sizes in zip(source, before, after, strict=True)])


def _pack(node: Node) -> None:
    places = range(len(node.operator.inputs))
    require_same_type(node, places)
    axis = require_axis(node, node.option("axis"), len(node.output_shape()))
    for place in places:
        shape = node.input_shape(place)
        require_shape(node, [*shape[:axis], len(places), *shape[axis:]])


def _unpack(node: Node) -> None:
    require_same_type(node, [0])
    source, count = node.input_shape(), len(node.operator.outputs)
    axis = require_axis(node, node.option("axis"), len(source))
    node.require(source[axis] == count, f"{source[axis]} parts for {count} outputs")
    for place in range(count):
        require_shape(node, [*source[:axis], *source[axis + 1 :]], place)


def _depth_to_space(node: Node) -> None:
    require_same_type(node, [0])
    node.require_picture()
    _, height, width, channels = node.input_shape()
    block = node.option("block_size")
    node.require(channels % block**2 == 0, f"{channels} channels are no squares of {block}")
    require_shape(node, (1, height * block, width * block, channels // block**2))


def _reduction(node: Node) -> None:
    shape = node.input_shape()
    axes = whole_numbers(node, 1, int(node.input(1).elements))
    gone = {require_axis(node, axis, len(shape)) for axis in axes}
    kept = math.prod(size for axis, size in enumerate(shape) if axis not in gone)
    node.require(
        node.output().elements == kept,
        f"its output has {node.output().elements} elements; {kept} are left",
    )


def _resize(node: Node) -> None:
    node.require_picture()
    channels = node.input_shape()[3], node.output_shape()[3]
    node.require(channels[0] == channels[1], f"{channels[0]} channels become {channels[1]}")


_RULES: Mapping[str, Callable[[Node], None]] = {
    **dict.fromkeys(("ADD", "SUB", "MUL", "PRELU"), _broadcast),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), windows_fit.pool_fits),
    **dict.fromkeys(("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "ELU"), _elementwise),
    **dict.fromkeys(("LOGISTIC", "TANH", "HARD_SWISH"), _elementwise),
    **dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _elementwise),
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _same_bytes),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduction),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    "CONCATENATION": _concatenation,
    "CONV_2D": windows_fit.convolution_fits,
    "DEPTHWISE_CONV_2D": windows_fit.depthwise_fits,
    "DEPTH_TO_SPACE": _depth_to_space,
    "FULLY_CONNECTED": windows_fit.dense_fits,
    "PACK": _pack,
    "SLICE": _slice,
    "SOFTMAX": _same_shape,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": windows_fit.transposed_fits,
    "UNPACK": _unpack,
}
