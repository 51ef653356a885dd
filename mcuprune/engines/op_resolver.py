"""How operators are registered with TensorFlow Lite Micro."""

from __future__ import annotations

from mcuprune.errors import ConversionError
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS

# Methods of MicroMutableOpResolver that do not follow the rule of `resolver_method`.
_IRREGULAR_METHODS = {
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}


def resolver_method(kind: str) -> str:
    """Return the method of TFLM's ``MicroMutableOpResolver`` that registers a builtin operator.

    Source of the names: tensorflow/lite/micro/micro_mutable_op_resolver.h.

    Raises:
        ConversionError: The operator is no TFLite builtin.

    >>> resolver_method("DEPTHWISE_CONV_2D"), resolver_method("MEAN"), resolver_method("SPLIT_V")
    ('AddDepthwiseConv2D', 'AddMean', 'AddSplitV')
    """
    if kind not in BUILTIN_OPERATORS:
        raise ConversionError(
            f"operator {kind!r} is no TFLite builtin, so it cannot be registered by name: replace "
            "the layer it comes from"
        )
    words = [word if word[0].isdigit() else word.capitalize() for word in kind.split("_")]
    return _IRREGULAR_METHODS.get(kind, "Add" + "".join(words))
