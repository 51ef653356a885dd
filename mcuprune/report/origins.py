"""Where numbers come from, in words."""

from __future__ import annotations

from collections.abc import Mapping

ORIGINS: Mapping[str, str] = {
    "predicted": "A formula of mcuprune, from the operators' shapes; nothing was executed.",
    "planned": "The memory plan, made as TFLM makes it or written into the file.",
    "interpreter": "An interpreter executed the model on this computer: Keras, LiteRT or TFLM.",
    "simulated": "Machine code ran on a simulated core.",
    "measured": "Somebody measured it on a board.",
    "file": "The size of the file.",
}


def origin_kind(origin: str) -> str:
    """Return the kind of an origin that may name an engine.

    >>> origin_kind("interpreter (TFLM)"), origin_kind("predicted")
    ('interpreter', 'predicted')
    """
    return origin.split(" ", 1)[0]
