"""Which way of quantizing a model is made for."""

from __future__ import annotations

from typing import Any

from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name

PTQ, QAT = "ptq", "qat"


def quantization_of(model: Any, wanted: str | None = None) -> str:
    """Return how a model is to be quantized.

    Args:
        model: A ``keras.Model``.
        wanted: ``"ptq"``, ``"qat"``, or None for what the model is made for.

    Raises:
        UnknownNameError: Another word.
        InputError: The model is made for the other one.
    """
    from mcuprune.ir.fake_quantization import is_quantize_aware

    if wanted not in (None, PTQ, QAT):
        raise unknown_name("quantization", str(wanted), (PTQ, QAT))
    # What is no model at all is for the converter to refuse.
    found = QAT if hasattr(model, "_flatten_layers") and is_quantize_aware(model) else PTQ
    if wanted in (None, found):
        return found
    if wanted == QAT:
        raise InputError(
            f"quantization='qat' was asked for, model {model.name!r} computes in float: prepare it "
            "with mcuprune.quantize_aware(model, calibration) and train it for a few epochs"
        )
    raise InputError(
        f"quantization='ptq' was asked for, model {model.name!r} computes with the numbers of "
        "int8: deploy the model it was prepared from, or leave quantization out"
    )
