"""Golden vectors: inputs and the answers that a correct firmware must give."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcuprune.deployment.csource import golden_header, golden_source
from mcuprune.engines.base import Array

# Enough to find a wrong kernel or byte order, few enough for any flash.
VECTORS_IN_C = 4


def write_golden(folder: Path, name: str, inputs: Array, outputs: Array) -> None:
    """Write ``golden.npz`` (all vectors) and ``golden_vectors.h/.c`` (the first four).

    Args:
        folder: Where to write.
        name: C identifier of the model.
        inputs: Quantized inputs, int8, shape ``(n, ...)``.
        outputs: TFLM's answers, int8, shape ``(n, ...)``.
    """
    np.savez_compressed(folder / "golden.npz", inputs=inputs, outputs=outputs)
    few = inputs[:VECTORS_IN_C], outputs[:VECTORS_IN_C]
    (folder / "golden_vectors.h").write_text(golden_header(name, *few), encoding="ascii")
    (folder / "golden_vectors.c").write_text(golden_source(name, *few), encoding="ascii")
