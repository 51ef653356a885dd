"""Recurrent layers as a microcontroller runs them: step after step, without a loop.

The converter brings no loop to int8 (at batch 1 it ends the process), but every unrolled layer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def unrolled(layer: Any) -> Iterator[None]:
    """Unroll recurrent layers while the block runs: traced in it, they hold no loop.

    Args:
        layer: A ``keras.Layer`` or model; what it holds is unrolled too.
    """
    with contextlib.ExitStack() as restored:
        for part in recurrent_layers(layer):
            restored.enter_context(changed(part, "unroll", True))
        yield


def recurrent_layers(layer: Any) -> list[Any]:
    """Return the recurrent layers in a ``keras.Layer`` or model, itself included."""
    import keras

    return [part for part in layer._flatten_layers() if isinstance(part, keras.layers.RNN)]


@contextlib.contextmanager
def changed(thing: Any, attribute: str, value: Any) -> Iterator[None]:
    """Give an attribute another value while the block runs."""
    usual = getattr(thing, attribute)
    setattr(thing, attribute, value)
    try:
        yield
    finally:
        setattr(thing, attribute, usual)
