import pytest

from mcuprune.ir.graph import Graph, Operator, Tensor


@pytest.fixture
def residual() -> Graph:
    """8x8x4 -> conv 3x3 -> 8x8x4, added to the input, mean over the image, dense to 3."""
    tensors = (
        Tensor("x", (1, 8, 8, 4)),
        Tensor("kernel", (4, 3, 3, 4), is_constant=True, quantization_scales=4),
        Tensor("bias", (4,), 32, "int32", is_constant=True, quantization_scales=4),
        Tensor("c", (1, 8, 8, 4)),
        Tensor("s", (1, 8, 8, 4)),
        Tensor("axes", (2,), 32, "int32", is_constant=True, quantization_scales=0),
        Tensor("m", (1, 4)),
        Tensor("dense", (3, 4), is_constant=True),
        Tensor("y", (1, 3)),
    )
    conv = {"stride_h": 1, "stride_w": 1, "padding": "SAME"}
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), conv),
        Operator(1, "ADD", (0, 3), (4,)),
        Operator(2, "MEAN", (4, 5), (6,), {"axis": (1, 2)}),
        Operator(3, "FULLY_CONNECTED", (6, 7, -1), (8,)),
    )
    return Graph("residual", tensors, operators, (0,), (8,))
