"""Upsampling as a microcontroller runs it: one resize, not copies between reshapes.

Keras repeats rows and columns, which the converter writes as RESHAPE and TILE; TensorFlow Lite
Micro has no TILE. Resizing to the nearest pixel, with pixel centres at halves, gives the same
numbers for whole factors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def upsampled_by_resizing(layer: Any) -> Iterator[None]:
    """Let upsampling layers resize while the block runs.

    Args:
        layer: A ``keras.Layer`` or model; what it holds resizes too.
    """
    import keras

    kinds = {keras.layers.UpSampling1D: _resize_1d, keras.layers.UpSampling2D: _resize_2d}
    parts = [part for part in layer._flatten_layers() if type(part) in kinds and _repeats(part)]
    for part in parts:
        vars(part)["call"] = kinds[type(part)](part)
    try:
        yield
    finally:
        for part in parts:
            del vars(part)["call"]


def _repeats(layer: Any) -> bool:
    """Return whether an upsampling layer repeats pixels, channels last."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return False
    return getattr(layer, "interpolation", "nearest") == "nearest"


def _resize_1d(layer: Any) -> Callable[[Any], Any]:
    import keras

    def call(x: Any) -> Any:
        wide = keras.ops.expand_dims(x, 1)
        return keras.ops.squeeze(_nearest(wide, 1, layer.size), 1)

    return call


def _resize_2d(layer: Any) -> Callable[[Any], Any]:
    return lambda x: _nearest(x, *layer.size)


def _nearest(x: Any, rows: int, columns: int) -> Any:
    import keras

    size = (x.shape[1] * rows, x.shape[2] * columns)
    return keras.ops.image.resize(x, size, interpolation="nearest", data_format="channels_last")
