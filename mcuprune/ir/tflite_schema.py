"""Names and field positions of the TFLite file format, as far as costs and plans depend on them.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs (TensorFlow 2.21). The numbers are the
format's public contract and never change; newer operators are added at the end.
"""

from __future__ import annotations

import dataclasses
from typing import Any

# BuiltinOperator, by code.
BUILTIN_OPERATORS = tuple(
    """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
    LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1
    RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM
    CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND
    SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE
    BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE
    SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW
    ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK
    REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
    LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS
    WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE
    NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM
    BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG
    REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL
    BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
    UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR
    RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY
    STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
    STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL
    STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL
    STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER
    STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH
    STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
    STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
    STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE
    DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT
    STABLEHLO_CBRT STABLEHLO_CASE
    """.split()  # noqa: SIM905 (210 words read better than 210 quoted strings)
)

# Those that may have no input or no output; all others make something of a first input.
OPERATORS_WITHOUT_DATA = frozenset(
    """
    ASSIGN_VARIABLE CALL CALL_ONCE CUSTOM DELEGATE HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT
    HASHTABLE_SIZE IF RANDOM_STANDARD_NORMAL RANDOM_UNIFORM READ_VARIABLE STABLEHLO_CASE
    STABLEHLO_COMPOSITE STABLEHLO_CUSTOM_CALL STABLEHLO_IOTA STABLEHLO_WHILE VAR_HANDLE WHILE
    """.split()  # noqa: SIM905 (as above)
)

# TensorType, by code: name and bits per element. Strings and handles have no fixed width; TFLM
# keeps a 32-bit id for a resource.
TENSOR_TYPES = (
    ("float32", 32),
    ("float16", 16),
    ("int32", 32),
    ("uint8", 8),
    ("int64", 64),
    ("string", 8),
    ("bool", 8),
    ("int16", 16),
    ("complex64", 64),
    ("int8", 8),
    ("float64", 64),
    ("complex128", 128),
    ("uint64", 64),
    ("resource", 32),
    ("variant", 32),
    ("uint32", 32),
    ("uint16", 16),
    ("int4", 4),
    ("bfloat16", 16),
    ("int2", 2),
    ("uint4", 4),
    ("float8_e4m3fn", 8),
    ("float8_e5m2", 8),
)
TYPES_WITHOUT_FIXED_WIDTH = frozenset({"string", "resource", "variant"})

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
PADDINGS = ("SAME", "VALID")


@dataclasses.dataclass(frozen=True)
class Option:
    """One field of an operator's options.

    Attributes:
        attribute: Name in :class:`mcuprune.ir.graph.Operator`.
        slot: Position of the field in its table.
        kind: Type in the file (``"int32"``).
        names: Names by code, for an enumeration.
        default: Value where the field is not stored.
        minimum: Least value that makes sense, None for any.
    """

    attribute: str
    slot: int
    kind: str = "int32"
    names: tuple[str, ...] = ()
    default: float = 0
    minimum: int | None = None


def _padding(slot: int) -> Option:
    return Option("padding", slot, "int8", PADDINGS)


def _activation(slot: int) -> Option:
    return Option("fused_activation", slot, "int8", ACTIVATIONS)


def _extent(attribute: str, slot: int, default: int = 0) -> Option:
    return Option(attribute, slot, default=default, minimum=1)


_POOL = (
    _padding(0),
    _extent("stride_w", 1),
    _extent("stride_h", 2),
    _extent("filter_w", 3),
    _extent("filter_h", 4),
    _activation(5),
)
_REDUCER = (Option("keep_dims", 0, "bool"),)
_REDUCERS = (
    "MEAN",
    "SUM",
    "REDUCE_PROD",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "REDUCE_ANY",
    "REDUCE_ALL",
)
_ARITHMETIC = (_activation(0),)

# Per operator: code of its options in the union BuiltinOptions, and the fields read from them.
OPERATOR_OPTIONS: dict[str, tuple[int, tuple[Option, ...]]] = {
    "CONV_2D": (
        1,
        (
            _padding(0),
            _extent("stride_w", 1),
            _extent("stride_h", 2),
            _activation(3),
            _extent("dilation_w", 4, default=1),
            _extent("dilation_h", 5, default=1),
        ),
    ),
    "DEPTHWISE_CONV_2D": (
        2,
        (
            _padding(0),
            _extent("stride_w", 1),
            _extent("stride_h", 2),
            Option("depth_multiplier", 3),
            _activation(4),
            _extent("dilation_w", 5, default=1),
            _extent("dilation_h", 6, default=1),
        ),
    ),
    "TRANSPOSE_CONV": (
        49,
        (_padding(0), _extent("stride_w", 1), _extent("stride_h", 2), _activation(3)),
    ),
    "AVERAGE_POOL_2D": (5, _POOL),
    "MAX_POOL_2D": (5, _POOL),
    "L2_POOL_2D": (5, _POOL),
    "SVDF": (6, (_extent("rank", 0), _activation(1))),
    "FULLY_CONNECTED": (8, (_activation(0), Option("keep_num_dims", 2, "bool"))),
    "SOFTMAX": (9, (Option("beta", 0, "float32"),)),
    "CONCATENATION": (10, (Option("axis", 0), _activation(1))),
    "ADD": (11, _ARITHMETIC),
    "MUL": (21, _ARITHMETIC),
    "SUB": (28, _ARITHMETIC),
    "DIV": (29, _ARITHMETIC),
    "L2_NORMALIZATION": (12, _ARITHMETIC),
    "RESIZE_BILINEAR": (
        15,
        (Option("align_corners", 2, "bool"), Option("half_pixel_centers", 3, "bool")),
    ),
    "RESIZE_NEAREST_NEIGHBOR": (
        74,
        (Option("align_corners", 0, "bool"), Option("half_pixel_centers", 1, "bool")),
    ),
    "RESHAPE": (17, ()),
    "GATHER": (23, (Option("axis", 0), Option("batch_dims", 1))),
    **dict.fromkeys(_REDUCERS, (27, _REDUCER)),
    "STRIDED_SLICE": (
        32,
        (
            Option("begin_mask", 0),
            Option("end_mask", 1),
            Option("ellipsis_mask", 2),
            Option("new_axis_mask", 3),
            Option("shrink_axis_mask", 4),
        ),
    ),
    "SPLIT": (35, (_extent("num_splits", 0),)),
    "SPLIT_V": (79, (_extent("num_splits", 0),)),
    "DEPTH_TO_SPACE": (94, (_extent("block_size", 0),)),
    "GELU": (116, (Option("approximate", 0, "bool"),)),
    "PACK": (59, (Option("values_count", 0), Option("axis", 1))),
    "UNPACK": (64, (Option("num", 0), Option("axis", 1))),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (71, (_activation(0), Option("time_major", 3, "bool"))),
    "LEAKY_RELU": (75, (Option("alpha", 0, "float32"),)),
    "BATCH_MATMUL": (101, (Option("adj_x", 0, "bool"), Option("adj_y", 1, "bool"))),
}

# Operators whose axes are their second input, a constant of int32.
AXIS_INPUT_OPERATORS = frozenset(_REDUCERS)


def decode(option: Option, stored: Any) -> Any:
    """Turn a stored number into an attribute's value.

    Raises:
        ValueError: The number is not allowed; the message says what is.
    """
    if option.names:
        if not 0 <= stored < len(option.names):
            raise ValueError(f"{option.attribute} {stored}; known: {', '.join(option.names)}")
        return option.names[stored]
    if option.kind == "bool":
        return bool(stored)
    if option.minimum is not None and stored < option.minimum:
        raise ValueError(f"{option.attribute} {stored}; it must be at least {option.minimum}")
    return stored
