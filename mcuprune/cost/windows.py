"""How a sliding window meets its input: positions, taps, and taps that hit the padding."""

from __future__ import annotations

import dataclasses

from mcuprune.ir.dim import Dim, Extent
from mcuprune.ir.graph import Operator, Tensor


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


def slide(operator: Operator, data: Tensor, height: Extent, width: Extent, out: Tensor) -> Windows:
    """Return how an operator's window slides over its input.

    Args:
        operator: A convolution or pooling; its strides, dilations and padding are read.
        data: Its input, of shape ``(batch, height, width, channels)``.
        height: Taps of the window along the height.
        width: Taps of the window along the width.
        out: Its output.
    """
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
    stride = int(operator.attributes.get(f"stride_{axis}", 1) or 1)
    dilation = int(operator.attributes.get(f"dilation_{axis}", 1) or 1)
    if operator.attributes.get("padding") != "SAME":
        return outputs * taps, 0
    reach = (taps - 1) * dilation + 1
    before = max(0, (outputs - 1) * stride + reach - size) // 2
    starts = (position * stride - before for position in range(outputs))
    inside = sum(0 <= start + tap * dilation < size for start in starts for tap in range(taps))
    return inside, before
