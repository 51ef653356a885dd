"""Operator versions that the converter writes for int8 (they decide the file's operator codes).

Source: files converted by TensorFlow 2.21 (the tests convert them anew); the rules are in
tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "HARD_SWISH": 1,
    "LEAKY_RELU": 1,
    "PRELU": 1,
    "RESHAPE": 1,
    "RESIZE_BILINEAR": 3,
    "TILE": 3,
    "TRANSPOSE_CONV": 4,
}
_INT8_VERSION = 2


def operator_version(kind: str, attributes: Mapping[str, Any]) -> int:
    """Return the version of an int8 operator.

    Args:
        kind: TFLite's operator name.
        attributes: Its options.
    """
    if kind == "FULLY_CONNECTED" and attributes["keep_num_dims"]:
        return 5
    return _VERSIONS.get(kind, _INT8_VERSION)
