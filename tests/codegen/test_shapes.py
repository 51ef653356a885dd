"""Shapes that do not belong together are refused before any C is written."""

import pytest
from operator_files import Case, Data, constant, operators_file

from mcuprune.codegen import generate
from mcuprune.errors import UnsupportedModelError

SAME, VALID = 0, 1


def picture(height, width, depth, dtype="int8"):
    return Data((1, height, width, depth), (0.5,), dtype=dtype)


def filters(*shape):
    return Data(shape, (0.5,), values=constant([1] * _count(shape), "int8").values.reshape(shape))


def biases(count):
    return constant([0] * count)


def _count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def sliding(table, padding=VALID, **more):
    fields = {"padding": padding, "strideH": 1, "strideW": 1, **more}
    return (table, fields)


CONV = sliding("Conv2DOptions")
DEPTHWISE = sliding("DepthwiseConv2DOptions")
POOL = sliding("Pool2DOptions", filterHeight=2, filterWidth=2)
SLICES = ("StridedSliceOptions", {})

# Each differs in one thing from what the words in the message ask for.
ILL_FITTING = {
    "conv rows": (
        Case("CONV_2D", (picture(5, 5, 2), filters(3, 2, 2, 2)), (picture(5, 4, 3),), CONV),
        r"shape \(1, 5, 4, 3\); \(1, 4, 4, 3\) follows",
    ),
    "conv channels": (
        Case("CONV_2D", (picture(5, 5, 2), filters(3, 2, 2, 2)), (picture(4, 4, 4),), CONV),
        r"\(1, 4, 4, 3\) follows",
    ),
    "conv weights": (
        Case("CONV_2D", (picture(5, 5, 2), filters(3, 8)), (picture(4, 4, 3),), CONV),
        r"input 1 of shape \(3, 8\) should have 4 axes",
    ),
    "conv bias": (
        Case(
            "CONV_2D", (picture(5, 5, 2), filters(3, 2, 2, 2), biases(2)), (picture(4, 4, 3),), CONV
        ),
        "its bias has 2 numbers for 3 channels",
    ),
    "conv without weights": (
        Case("CONV_2D", (picture(5, 5, 2),), (picture(4, 4, 3),), CONV),
        "it has 1 inputs and 1 outputs; it needs 2 and 1",
    ),
    "depthwise": (
        Case(
            "DEPTHWISE_CONV_2D",
            (picture(5, 5, 2), filters(2, 2, 2, 2)),
            (picture(4, 4, 2),),
            DEPTHWISE,
        ),
        r"not \(1, ...\)",
    ),
    "pool": (
        Case("MAX_POOL_2D", (picture(5, 5, 2),), (picture(9, 9, 2),), POOL),
        r"\(1, 4, 4, 2\) follows",
    ),
    "dense rows": (
        Case("FULLY_CONNECTED", (picture(1, 1, 5), filters(3, 2)), (Data((1, 3), (0.5,)),)),
        "5 inputs are no rows of 2",
    ),
    "dense output": (
        Case("FULLY_CONNECTED", (picture(1, 1, 4), filters(3, 2)), (Data((2, 2), (0.5,)),)),
        "has 4 elements, not 2 x 3",
    ),
    "sum": (
        Case("ADD", (picture(2, 2, 3), picture(2, 2, 2)), (picture(2, 2, 3),)),
        "do not broadcast",
    ),
    "product": (
        Case("MUL", (picture(2, 2, 3), picture(1, 1, 3)), (picture(2, 3, 3),)),
        r"\(1, 2, 2, 3\) follows",
    ),
    "lookup": (
        Case("LOGISTIC", (picture(2, 2, 3),), (picture(2, 2, 2),)),
        "its input has 12 elements, its output 8",
    ),
    "reshape": (
        Case("RESHAPE", (picture(2, 2, 3),), (Data((1, 13), (0.5,)),)),
        "its input has 12 elements, its output 13",
    ),
    "types": (
        Case("RESHAPE", (picture(2, 2, 3),), (Data((1, 12), dtype="float32"),)),
        "it mixes float32 and int8",
    ),
    "order": (
        Case("TRANSPOSE", (picture(2, 2, 3), constant([0, 1, 1, 3])), (picture(2, 2, 3),)),
        r"\[0, 1, 1, 3\] is no order",
    ),
    "axis": (
        Case("MEAN", (picture(2, 2, 3), constant([4])), (Data((1, 3), (0.5,)),)),
        "there is no axis 4 in 4 dimensions",
    ),
    "mean": (
        Case("MEAN", (picture(2, 2, 3), constant([1, 2])), (Data((1, 4), (0.5,)),)),
        "has 4 elements; 3 are left",
    ),
    "join": (
        Case(
            "CONCATENATION",
            (picture(2, 2, 3), picture(2, 1, 3)),
            (picture(2, 2, 6),),
            ("ConcatenationOptions", {"axis": 3}),
        ),
        r"\(1, 2, 1, 6\) follows",
    ),
    "parts": (
        Case(
            "SPLIT",
            (constant(3), picture(2, 2, 4)),
            (picture(2, 2, 2), picture(2, 2, 3)),
            ("SplitOptions", {"numSplits": 2}),
        ),
        r"parts of \[2, 3\] make no axis of 4",
    ),
    "slice": (
        Case(
            "SLICE",
            (picture(2, 2, 4), constant([0, 1, 0, 0]), constant([1, 2, 2, 4])),
            (picture(2, 2, 4),),
        ),
        "2 elements from 1 do not lie within 2",
    ),
    "strided slice": (
        Case(
            "STRIDED_SLICE",
            (picture(2, 2, 4), constant([0, 0]), constant([1, 2]), constant([1, 0])),
            (picture(2, 2, 4),),
            SLICES,
        ),
        "no step at all",
    ),
    "padding": (
        Case(
            "PAD",
            (picture(2, 2, 4), constant([[0, 0], [1, 1], [0, -1], [0, 0]])),
            (picture(4, 2, 4),),
        ),
        "it pads by -1",
    ),
    "resize": (
        Case(
            "RESIZE_NEAREST_NEIGHBOR",
            (picture(2, 2, 4), constant([4, 4])),
            (picture(4, 4, 3),),
            ("ResizeNearestNeighborOptions", {}),
        ),
        "4 channels become 3",
    ),
    "block": (
        Case(
            "DEPTH_TO_SPACE",
            (picture(2, 2, 6),),
            (picture(4, 4, 1),),
            ("DepthToSpaceOptions", {"blockSize": 2}),
        ),
        "6 channels are no squares of 2",
    ),
    "softmax": (
        Case(
            "SOFTMAX",
            (Data((1, 4), (1e-9,)),),
            (Data((1, 4), (1 / 256,), -128),),
            ("SoftmaxOptions", {"beta": 1.0}),
        ),
        "beta 1 times the scale 1e-09 of its input is less than",
    ),
    "scale": (
        Case("LOGISTIC", (Data((1, 4), (-0.5,)),), (Data((1, 4), (1 / 256,), -128),)),
        "has the scale -0.5",
    ),
    "zero point": (
        Case("LOGISTIC", (Data((1, 4), (0.5,), 300),), (Data((1, 4), (1 / 256,), -128),)),
        "has the zero point 300, which no int8 is",
    ),
}


@pytest.mark.parametrize("target", ["portable", "cortex-m4"])
@pytest.mark.parametrize(("case", "message"), ILL_FITTING.values(), ids=ILL_FITTING)
def test_tensors_that_do_not_fit_are_refused(case, message, target):
    with pytest.raises(UnsupportedModelError, match=message):
        generate(operators_file([case]), target=target)
