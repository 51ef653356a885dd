"""Operators that move bytes: reshaping, slices, joins, padding, transposition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators.loops import Loop, loop_parameters, row_steps
from mcuprune.codegen.requantization import INT8_MAX, INT8_MIN

_LOOPS = 6


def reshape(node: Node) -> tuple[KernelCall, ...]:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes; copied only to another place."""
    return (KernelCall("", node.operator.inputs[:1], node.operator.outputs),)


def transpose(node: Node) -> tuple[KernelCall, ...]:
    """TRANSPOSE."""
    shape = node.input_shape()
    steps = row_steps(shape)
    order = [int(axis) % len(shape) for axis in node.constant(1).ravel()]
    sources = [steps[axis] for axis in order]
    return (_moved(node, node.output_shape(), sources, row_steps(node.output_shape())),)


def concatenation(node: Node) -> tuple[KernelCall, ...]:
    """CONCATENATION: one move per input."""
    target = node.output_shape()
    axis = node.option("axis") % len(target)
    node.require(node.option("fused_activation") == "NONE", "a fused activation; TFLM has none")
    steps, start, calls = row_steps(target), 0, []
    for place in range(len(node.operator.inputs)):
        node.require(
            node.input_quantization(place) == node.output_quantization()
            or node.input(place).dtype not in ("int8", "uint8", "int16"),
            f"input {place} has another scale or zero point than the output; LiteRT refuses it",
        )
        shape = node.input_shape(place)
        calls.append(_moved(node, shape, row_steps(shape), steps, source=place, target_start=start))
        start += shape[axis] * steps[axis]
    return tuple(calls)


def split(node: Node) -> tuple[KernelCall, ...]:
    """SPLIT: the axis is the first input, the data the second."""
    return _split(node, data=1, axis=int(node.constant(0).ravel()[0]))


def split_v(node: Node) -> tuple[KernelCall, ...]:
    """SPLIT_V: data, sizes, axis."""
    return _split(node, data=0, axis=int(node.constant(2).ravel()[0]))


def _split(node: Node, data: int, axis: int) -> tuple[KernelCall, ...]:
    source = node.input_shape(data)
    steps, start, calls = row_steps(source), 0, []
    for place in range(len(node.operator.outputs)):
        shape = node.output_shape(place)
        targets = row_steps(shape)
        calls.append(
            _moved(node, shape, steps, targets, source=data, source_start=start, target=place)
        )
        start += shape[axis] * steps[axis % len(source)]
    return tuple(calls)


def slice_(node: Node) -> tuple[KernelCall, ...]:
    """SLICE: begin and size."""
    begin = [int(value) for value in node.constant(1).ravel()]
    target = node.output_shape()
    steps = row_steps(node.input_shape())
    start = sum(first * step for first, step in zip(begin, steps, strict=True))
    return (_moved(node, target, steps, row_steps(target), source_start=start),)


def strided_slice(node: Node) -> tuple[KernelCall, ...]:
    """STRIDED_SLICE with begin, end and shrink masks, as StridedSliceParams in TFLM."""
    for mask in ("ellipsis_mask", "new_axis_mask"):
        node.require(node.option(mask) == 0, f"an {mask} is not known to TFLM either")
    shape = node.input_shape()
    begins, ends, strides = (
        [int(value) for value in node.constant(place).ravel()] for place in (1, 2, 3)
    )
    sizes, sources, start = [], [], 0
    for axis, step in enumerate(row_steps(shape)):
        chosen = range(shape[axis])
        if axis < len(begins):
            bit = 1 << axis
            begin = None if node.option("begin_mask") & bit else begins[axis]
            end = None if node.option("end_mask") & bit else ends[axis]
            if node.option("shrink_axis_mask") & bit:
                # One element, wherever the slice would end.
                first = (begin or 0) % shape[axis]
                chosen = range(first, first + 1)
            else:
                chosen = range(shape[axis])[slice(begin, end, strides[axis])]
        sizes.append(len(chosen))
        sources.append(chosen.step * step)
        start += chosen.start * step
    node.require(
        math.prod(sizes) == node.output().elements,
        f"it takes {math.prod(sizes)} elements, its output has {node.output().elements}",
    )
    return (_moved(node, sizes, sources, row_steps(sizes), source_start=start),)


def pad(node: Node) -> tuple[KernelCall, ...]:
    """PAD and PADV2: the output is filled first."""
    node.require_types("int8")
    node.require(
        node.input_quantization() == node.output_quantization(),
        "input and output have different scales or zero points, which TFLM refuses, too",
    )
    value = node.output_quantization().zero_point
    if node.has_input(2):
        value = int(node.constant(2).ravel()[0])
    node.require(INT8_MIN <= value <= INT8_MAX, f"it pads with {value}")
    before = [int(pair[0]) for pair in node.constant(1).reshape(-1, 2)]
    steps = row_steps(node.output_shape())
    start = sum(count * step for count, step in zip(before, steps, strict=True))
    source = node.input_shape()
    fill = KernelCall(
        "fill",
        (),
        node.operator.outputs,
        {"count": int(node.output().elements), "value": value},
        header="move",
    )
    return fill, _moved(node, source, row_steps(source), steps, target_start=start)


def pack(node: Node) -> tuple[KernelCall, ...]:
    """PACK: inputs side by side along a new axis."""
    target = node.output_shape()
    axis = node.option("axis") % len(target)
    steps = row_steps(target)
    kept = [step for place, step in enumerate(steps) if place != axis]
    shape = node.input_shape()
    return tuple(
        _moved(node, shape, row_steps(shape), kept, source=place, target_start=place * steps[axis])
        for place in range(len(node.operator.inputs))
    )


def unpack(node: Node) -> tuple[KernelCall, ...]:
    """UNPACK: the parts along an axis, which disappears."""
    source = node.input_shape()
    axis = node.option("axis") % len(source)
    steps = row_steps(source)
    kept = [step for place, step in enumerate(steps) if place != axis]
    shape = node.output_shape()
    return tuple(
        _moved(node, shape, kept, row_steps(shape), source_start=place * steps[axis], target=place)
        for place in range(len(node.operator.outputs))
    )


def depth_to_space(node: Node) -> tuple[KernelCall, ...]:
    """DEPTH_TO_SPACE: channels become a square of pixels."""
    node.require_picture()
    _, height, width, channels = node.input_shape()
    block = node.option("block_size")
    depth = channels // (block * block)
    sizes = (height, block, width, block, depth)
    sources = (width * channels, block * depth, channels, depth, 1)
    return (_moved(node, sizes, sources, row_steps(sizes)),)


def _moved(
    node: Node,
    sizes: Sequence[int],
    source_steps: Sequence[int],
    target_steps: Sequence[int],
    *,
    source: int = 0,
    source_start: int = 0,
    target: int = 0,
    target_start: int = 0,
) -> KernelCall:
    """Return a move of elements; steps and starts count elements."""
    width = node.input(source).bits // 8
    node.require(node.input(source).bits % 8 == 0, "elements of less than a byte")
    loops = [
        Loop(size, (one * width, other * width))
        for size, one, other in zip(sizes, source_steps, target_steps, strict=True)
    ]
    loops.append(Loop(width, (1, 1)))
    return KernelCall(
        "move",
        (node.operator.inputs[source],),
        (node.operator.outputs[target],),
        {
            **loop_parameters(node, loops, _LOOPS, ("input_steps", "output_steps")),
            "input_start": source_start * width,
            "output_start": target_start * width,
        },
    )
