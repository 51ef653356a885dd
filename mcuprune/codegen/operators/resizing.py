"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: rows and columns are tables."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from mcuprune.codegen.kernel_call import KernelCall, Numbers
from mcuprune.codegen.model_file import Node


@dataclasses.dataclass(frozen=True)
class _Axis:
    """How one axis is resized.

    Attributes:
        source: Extent of the input.
        target: Extent of the output.
        align_corners: Whether corners meet corners.
        half_pixel: Whether pixels are taken at their centres.
    """

    source: int
    target: int
    align_corners: bool
    half_pixel: bool

    def nearest(self) -> Numbers:
        """Return the source of each target: GetNearestNeighbor, in float32."""
        return np.array([self._nearest(place) for place in range(self.target)], np.uint16)

    def _nearest(self, place: int) -> int:
        aligned = self.align_corners and self.target > 1
        scale = np.float32(self.source - aligned) / np.float32(self.target - aligned)
        value = (np.float32(place) + np.float32(0.5 if self.half_pixel else 0)) * scale
        exact = float(value)
        found = math.floor(exact + 0.5) if self.align_corners else math.floor(exact)
        return max(min(found, self.source - 1), 0)

    def bilinear(self) -> tuple[Numbers, Numbers, Numbers]:
        """Return lower and upper source, and the upper one's weight in 1/1024.

        Source: ComputeInterpolationValuesInteger in reference/resize_bilinear.h.
        """
        aligned = self.align_corners and self.target > 1
        source, target = self.source - aligned, self.target - aligned
        scale = ((1 << 10) * source + target // 2) // target
        places = [place * scale for place in range(self.target)]
        if self.half_pixel:
            places = [place + scale // 2 - (1 << 9) for place in places]
        lower = [max(math.trunc(place / 1024), 0) for place in places]
        upper = [min(math.trunc((place + 1023) / 1024), self.source - 1) for place in places]
        weights = [place - 1024 * low for place, low in zip(places, lower, strict=True)]
        return np.array(lower, np.uint16), np.array(upper, np.uint16), np.array(weights, np.int16)


def resize_nearest_neighbor(node: Node) -> tuple[KernelCall, ...]:
    """RESIZE_NEAREST_NEIGHBOR."""
    height, width = _axes(node)
    call = KernelCall(
        "resize_nearest_neighbor",
        node.operator.inputs[:1],
        node.operator.outputs,
        {**_shape(node), "rows": height.nearest(), "columns": width.nearest()},
    )
    return (call,)


def resize_bilinear(node: Node) -> tuple[KernelCall, ...]:
    """RESIZE_BILINEAR, in integers as TFLM does."""
    height, width = _axes(node)
    tables: dict[str, Numbers] = {}
    for name, axis in (("row", height), ("column", width)):
        lower, upper, weights = axis.bilinear()
        tables |= {f"lower_{name}s": lower, f"upper_{name}s": upper, f"{name}_weights": weights}
    call = KernelCall(
        "resize_bilinear",
        node.operator.inputs[:1],
        node.operator.outputs,
        {**_shape(node), **tables},
    )
    return (call,)


def _axes(node: Node) -> tuple[_Axis, _Axis]:
    node.require_types("int8")
    node.require_picture()
    options = (node.option("align_corners"), node.option("half_pixel_centers"))
    source, target = node.input_shape(), node.output_shape()
    return _Axis(source[1], target[1], *options), _Axis(source[2], target[2], *options)


def _shape(node: Node) -> dict[str, int]:
    _, height, width, channels = node.output_shape()
    return {
        "input_width": node.input_shape()[2],
        "output_height": height,
        "output_width": width,
        "channels": channels,
    }
