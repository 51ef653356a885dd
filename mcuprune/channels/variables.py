"""The variable behind a layer's weight, gated or not."""

from __future__ import annotations

from typing import Any


def variable_of(layer: Any, weight: str) -> Any:
    """Return the ``keras.Variable`` that a layer calls ``weight``.

    Gating turns the attribute into a property of a subclass that returns the gated tensor; the
    variable is what the layer's own class has under that name.
    """
    base = getattr(type(layer), "_mcuprune_base", type(layer))
    declared = getattr(base, weight, None)
    if isinstance(declared, property):
        return declared.__get__(layer)
    return layer.__dict__[weight] if weight in layer.__dict__ else getattr(layer, weight)
