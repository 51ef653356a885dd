import pytest

from mcuprune.cost.macs import operator_macs, total_macs
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor


def macs_of(kind, shapes, attributes=None, constants=()):
    """Inputs in order, output last."""
    tensors = tuple(
        Tensor(str(i), shape, is_constant=i in constants) for i, shape in enumerate(shapes)
    )
    inputs, output = tuple(range(len(shapes) - 1)), len(shapes) - 1
    operator = Operator(0, kind, inputs, (output,), attributes or {})
    return operator_macs(Graph("one", tensors, (operator,), (0,), (output,)), operator)


def test_convolution():
    # 16x16 positions, 8 filters of 3x3x4
    assert macs_of("CONV_2D", [(1, 32, 32, 4), (8, 3, 3, 4), (1, 16, 16, 8)]) == (
        16 * 16 * 8 * 3 * 3 * 4
    )


def test_grouped_convolution_counts_the_channels_each_filter_reads():
    assert macs_of("CONV_2D", [(1, 5, 5, 8), (6, 1, 1, 4), (1, 5, 5, 6)]) == 5 * 5 * 6 * 4


def test_depthwise_convolution_with_multiplier():
    assert macs_of("DEPTHWISE_CONV_2D", [(1, 9, 9, 3), (1, 3, 3, 6), (1, 7, 7, 6)]) == (
        7 * 7 * 6 * 3 * 3
    )


def test_transposed_convolution_counts_input_positions():
    shapes = [(4,), (5, 3, 3, 2), (1, 4, 4, 2), (1, 8, 8, 5)]
    assert macs_of("TRANSPOSE_CONV", shapes) == 4 * 4 * 5 * 3 * 3 * 2


def test_fully_connected():
    assert macs_of("FULLY_CONNECTED", [(1, 64), (10, 64), (1, 10)]) == 10 * 64


def test_batch_matmul():
    assert macs_of("BATCH_MATMUL", [(2, 3, 5), (2, 5, 7), (2, 3, 7)]) == 2 * 3 * 5 * 7
    assert macs_of("BATCH_MATMUL", [(2, 5, 3), (2, 5, 7), (2, 3, 7)], {"adj_x": True}) == (
        2 * 3 * 5 * 7
    )


def test_svdf():
    shapes = [(1, 40), (128, 40), (128, 8), (128,), (1, 1024), (1, 64)]
    assert macs_of("SVDF", shapes) == 128 * 40 + 128 * 8


def test_pooling_and_add_have_no_products():
    assert macs_of("MAX_POOL_2D", [(1, 8, 8, 4), (1, 4, 4, 4)]) == 0
    assert macs_of("ADD", [(1, 8), (1, 8), (1, 8)]) == 0


def test_total_of_a_graph(residual):
    assert total_macs(residual) == 8 * 8 * 4 * 3 * 3 * 4 + 3 * 4


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        # ResNet-8's published count, conv and dense: github.com/mlcommons/tiny
        ("pretrainedResnet_quant", 12_501_632),
        ("kws_ref_model", 2_656_768),
        # 640*128 + 3*128*128 + 128*8 + 8*128 + 3*128*128 + 128*640
        ("ad01_int8", 264_192),
        ("vww_96_int8", 7_489_664),
    ],
)
def test_mlperf_tiny(shared, file, expected):
    graph = read_tflite(shared / "models/mlperf_tiny" / f"{file}.tflite")
    assert total_macs(graph) == expected
