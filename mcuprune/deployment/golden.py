"""Golden vectors: inputs and the answers that a correct firmware must give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mcuprune.deployment.csource import golden_header, golden_source, numbered
from mcuprune.engines.base import Array

# Enough to find a wrong kernel or byte order, few enough for any flash.
VECTORS_IN_C = 4


def write_golden(
    folder: Path, name: str, inputs: Sequence[Array], outputs: Sequence[Array]
) -> None:
    """Write ``golden.npz`` (all vectors) and ``golden_vectors.h/.c`` (the first four).

    The file's arrays are ``inputs`` and ``outputs``; of several ``inputs_0``, ``inputs_1`` ...

    Args:
        folder: Where to write.
        name: C identifier of the model.
        inputs: Quantized inputs, an array of shape ``(n, ...)`` for each input.
        outputs: TFLM's answers, an array of shape ``(n, ...)`` for each output.
    """
    arrays = {**numbered("inputs", inputs), **numbered("outputs", outputs)}
    np.savez_compressed(folder / "golden.npz", allow_pickle=False, **arrays)
    few = [a[:VECTORS_IN_C] for a in inputs], [a[:VECTORS_IN_C] for a in outputs]
    (folder / "golden_vectors.h").write_text(golden_header(name, *few), encoding="ascii")
    (folder / "golden_vectors.c").write_text(golden_source(name, *few), encoding="ascii")
