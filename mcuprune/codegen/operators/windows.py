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
        return max(0, (self.target - 1) * self.stride + self._reach - self.source) // 2

    @property
    def is_inside(self) -> bool:
        """Whether every window lies within the input."""
        return self.padding == 0 and (self.target - 1) * self.stride + self._reach <= self.source

    @property
    def _reach(self) -> int:
        return reach_of(self.window, self.dilation)


def reach_of(window: int, dilation: int) -> int:
    """Return how many elements lie between the first and the last tap, both counted."""
    return (window - 1) * dilation + 1


def positions(source: int, window: int, stride: int, padding: str, dilation: int = 1) -> int:
    """Return how often a window fits: ComputeOutSize in tensorflow/lite/kernels/padding.h.

    Args:
        source: Extent of the input.
        window: Taps of the filter.
        stride: Step.
        padding: ``"SAME"`` or ``"VALID"``.
        dilation: Distance of taps.

    >>> positions(5, 2, 2, "SAME"), positions(5, 2, 2, "VALID")
    (3, 2)
    """
    if padding == "SAME":
        return -(-source // stride)
    return (source + stride - reach_of(window, dilation)) // stride
