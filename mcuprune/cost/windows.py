"""How a sliding window meets its input: positions, taps, and taps that hit the padding."""

from __future__ import annotations

import dataclasses

from mcuprune.cost.operands import operand, result
from mcuprune.errors import InputError
from mcuprune.ir.dim import Dim, Extent
from mcuprune.ir.graph import Graph, Operator, Tensor

# Places along an axis, or elements of a window: an image has a thousand.
MOST_COUNTED = 2**16


@dataclasses.dataclass(frozen=True)
class Windows:
    """A window of ``taps`` slid over two axes.

    Attributes:
        rows: Positions along the height.
        columns: Positions along the width.
        height: Taps of the window along the height.
        width: Taps of the window along the width.
        rows_inside: Taps along the height that lie inside the input, summed over the rows.
        columns_inside: Taps along the width that lie inside the input, summed over the columns.
        widest_padding: The larger of the paddings before the first row and column.
    """

    rows: Extent
    columns: Extent
    height: Extent
    width: Extent
    rows_inside: Extent
    columns_inside: Extent
    widest_padding: int

    @property
    def positions(self) -> Extent:
        """Positions of the window."""
        return self.rows * self.columns

    @property
    def taps(self) -> Extent:
        """Taps over all positions, those outside of the input included."""
        return self.positions * self.height * self.width

    @property
    def taps_inside(self) -> Extent:
        """Taps over all positions that lie inside the input."""
        return self.rows_inside * self.columns_inside


def convolution_windows(graph: Graph, operator: Operator) -> Windows:
    """Return how the filter of a convolution, plain or depthwise, slides over its input.

    Raises:
        InputError: The operator lacks a tensor of four dimensions.
    """
    data, weights = operand(graph, operator, 0, rank=4), operand(graph, operator, 1, rank=4)
    output = result(graph, operator, rank=4)
    return _slide(operator, data, weights.shape[1], weights.shape[2], output)


def pooling_windows(graph: Graph, operator: Operator) -> Windows:
    """Return how the window of a pooling slides over its input.

    Raises:
        InputError: The operator lacks a tensor of four dimensions.
    """
    data, output = operand(graph, operator, 0, rank=4), result(graph, operator, rank=4)
    height = operator.attributes.get("filter_h", 1)
    width = operator.attributes.get("filter_w", 1)
    return _slide(operator, data, height, width, output)


def is_strided(operator: Operator) -> bool:
    """Return whether a window moves by more than one element."""
    return any(operator.attributes.get(f"stride_{axis}", 1) not in (0, 1) for axis in "hw")


def is_dilated(operator: Operator) -> bool:
    """Return whether there are gaps between the taps of a window."""
    return any(operator.attributes.get(f"dilation_{axis}", 1) not in (0, 1) for axis in "hw")


def _slide(operator: Operator, data: Tensor, height: Extent, width: Extent, out: Tensor) -> Windows:
    axes = [
        _slide_axis(operator, data.shape[1], height, out.shape[1], "h"),
        _slide_axis(operator, data.shape[2], width, out.shape[2], "w"),
    ]
    (rows_inside, top), (columns_inside, left) = axes
    return Windows(
        rows=out.shape[1] * out.shape[0],
        columns=out.shape[2],
        height=height,
        width=width,
        rows_inside=rows_inside * out.shape[0],
        columns_inside=columns_inside,
        widest_padding=max(top, left),
    )


def _slide_axis(
    operator: Operator, size: Extent, taps: Extent, outputs: Extent, axis: str
) -> tuple[Extent, int]:
    """Return the taps inside the input over all positions, and the padding before the first."""
    if any(isinstance(extent, Dim) for extent in (size, taps, outputs)):
        return outputs * taps, 0
    stride = max(1, int(operator.attributes.get(f"stride_{axis}", 1)))
    dilation = max(1, int(operator.attributes.get(f"dilation_{axis}", 1)))
    if operator.attributes.get("padding") != "SAME":
        return outputs * taps, 0
    reach = (taps - 1) * dilation + 1
    before = max(0, (outputs - 1) * stride + reach - size) // 2
    # Along the shorter of the two ranges: either is counted alike, and one of both may be absurd.
    counted, steps, other, other_step = (
        (outputs, stride, taps, dilation) if outputs < taps else (taps, dilation, outputs, stride)
    )
    if counted > MOST_COUNTED:
        raise InputError(
            f"operator {operator.index} ({operator.kind}) slides a window of {taps:,} elements to "
            f"{outputs:,} places: the file is damaged, one of both is below {MOST_COUNTED:,} in "
            "every model; export it again"
        )
    inside = sum(_within(step * steps - before, other, other_step, size) for step in range(counted))
    return inside, before


def _within(first: int, count: int, step: int, size: int) -> int:
    """Return how many of ``first``, ``first + step`` ... (``count`` of them) are in [0, size).

    >>> _within(-2, 5, 2, 3)
    2
    """
    least = max(0, -(first // step))
    past = min(count, -((first - size) // step))
    return max(0, past - least)
