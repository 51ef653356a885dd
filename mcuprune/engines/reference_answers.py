"""What a model must answer: LiteRT's bytes, or TFLM's where the two runtimes differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array, as_arrays
from mcuprune.engines.own_process import OwnProcess
from mcuprune.errors import EngineError

LITERT, TFLM_HOST = "litert", "tflm"


@dataclasses.dataclass(frozen=True)
class ReferenceAnswers:
    """Answers of a runtime on the host.

    Attributes:
        outputs: Bytes, shape ``(n, output_bytes)``; all outputs of the model one after the other.
        engine: ``"litert"``, or ``"tflm"`` where LiteRT refuses the model or answers otherwise.
        version: Which version of it.
        note: Why it is TFLM, None otherwise.
    """

    outputs: Array
    engine: str
    version: str
    note: str | None = None


def reference_answers(model: bytes, inputs: Sequence[Array]) -> ReferenceAnswers:
    """Return what a model must answer.

    TFLM is what runs on devices, so where LiteRT's reference kernels differ from its kernels,
    these count. Both run in processes of their own, which a damaged file may crash.

    Args:
        model: Contents of a ``.tflite`` file.
        inputs: An array of shape ``(n, ...)`` for each input, in the model's types.

    Raises:
        EngineError: Neither runtime takes the model.
    """
    tflm = OwnProcess(TFLM_HOST).run(model, inputs)
    answers = as_bytes(tflm.all_outputs)
    try:
        litert = OwnProcess(LITERT).run(model, inputs)
    except EngineError as error:
        refusal = str(error).split(":")[0]
        return ReferenceAnswers(answers, TFLM_HOST, tflm.version, f"LiteRT: {refusal}")
    expected = as_bytes(litert.all_outputs)
    differing = int(np.count_nonzero(answers != expected))
    if differing:
        note = f"LiteRT differs from TFLM in {differing:,} of {answers.size:,} bytes"
        return ReferenceAnswers(answers, TFLM_HOST, tflm.version, note)
    return ReferenceAnswers(expected, LITERT, litert.version)


def as_bytes(arrays: Array | Sequence[Array]) -> Array:
    """Return arrays of shape ``(n, ...)`` as one of bytes, int8, ``(n, bytes of a sample)``.

    >>> as_bytes([np.int8([[1], [2]]), np.int16([[3], [4]])]).tolist()
    [[1, 3, 0], [2, 4, 0]]
    """
    flat = [np.ascontiguousarray(one).reshape(len(one), -1) for one in as_arrays(arrays)]
    joined: Array = np.concatenate([one.view(np.int8) for one in flat], axis=1)
    return joined
