"""Operator versions that the converter writes for int8 (they are part of the file's size).

Source: files converted by TensorFlow 2.21, which the tests convert anew; the converter's rules
are in tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcuprune.ir.draft import Constant, Draft

_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DIV": 1,
    "ELU": 1,
    "FULLY_CONNECTED": 4,
    "HARD_SWISH": 1,
    "LEAKY_RELU": 1,
    "NEG": 1,
    "PRELU": 1,
    "QUANTIZE": 1,
    "RESHAPE": 1,
    "RESIZE_BILINEAR": 3,
    "RESIZE_NEAREST_NEIGHBOR": 3,
    "SELECT": 1,
    "SELECT_V2": 1,
    "SQUARE": 1,
    "TILE": 3,
}
_OTHERS = 2
# Kernels that know more than four axes have a version of their own.
_OF_FIVE_AXES = {"SUB": 3, "TRANSPOSE": 4}


def operator_versions(operators: Iterable[Draft]) -> dict[str, int]:
    """Return the version per kind of operator: the file keeps the highest one needed."""
    versions: dict[str, int] = {}
    for op in operators:
        versions[op.kind] = max(_version(op), versions.get(op.kind, 0))
    return versions


def _version(op: Draft) -> int:
    if "version" in op.attributes:  # of a converted layer
        return int(op.attributes["version"])
    if op.kind == "FULLY_CONNECTED" and op.attributes["keep_num_dims"]:
        return 5
    if op.kind == "CONV_2D" and _is_grouped(op):
        return 6
    if op.kind == "TRANSPOSE_CONV":
        has_bias = len(op.inputs) == 4
        return 4 if op.attributes["fused_activation"] != "NONE" else 3 if has_bias else 2
    if op.kind in _OF_FIVE_AXES and len(op.output.shape) > 4:
        return _OF_FIVE_AXES[op.kind]
    return _VERSIONS.get(op.kind, _OTHERS)


def _is_grouped(op: Draft) -> bool:
    weights = op.inputs[1]
    assert isinstance(weights, Constant)
    return bool(weights.shape[-1] != op.value_inputs()[0].shape[-1])
