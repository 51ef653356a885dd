"""How often a file is right, as LiteRT's reference kernels run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcuprune.engines.litert import LiteRT
from mcuprune.engines.quantization import quantized_inputs


def int8_accuracy(model: bytes, inputs: Any, labels: Any) -> float:
    """Return the share of inputs that LiteRT's reference kernels classify right, 0 to 1.

    Args:
        model: Contents of a ``.tflite`` file.
        inputs: float32 ``(n, ...)``, as the Keras model takes them.
        labels: Whole numbers ``(n,)``, the classes.

    Raises:
        EngineError: LiteRT refuses the file.
    """
    outputs = LiteRT().run(model, quantized_inputs(model, inputs)).outputs
    return float(np.mean(outputs.argmax(axis=1) == labels))
