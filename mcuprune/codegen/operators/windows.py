"""Where windows slide: padding of convolutions and pools."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Axis:
    """A window that slides along one axis.

    Attributes:
        source: Extent of the input.
        target: Extent of the output.
        window: Taps of the filter.
        stride: Step.
        dilation: Distance of taps.
    """

    source: int
    target: int
    window: int
    stride: int
    dilation: int = 1

    @property
    def padding(self) -> int:
        """Zeros before the first element: ComputePadding in tensorflow/lite/kernels/padding.h."""
        reach = (self.window - 1) * self.dilation + 1
        return max(0, (self.target - 1) * self.stride + reach - self.source) // 2

    @property
    def is_inside(self) -> bool:
        """Whether every window lies within the input."""
        reach = (self.window - 1) * self.dilation + 1
        return self.padding == 0 and (self.target - 1) * self.stride + reach <= self.source
