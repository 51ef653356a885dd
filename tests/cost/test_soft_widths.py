"""The formulas at soft widths: the exact number at whole widths, and true slopes."""

import pytest
import tensorflow as tf

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_tail, largest_working_set, working_sets
from mcuprune.ir.graph import Dim, Graph, Operator, Tensor

A, B = Dim.width("a"), Dim.width("b")


def weights(name, shape, scales):
    return Tensor(name, shape, is_constant=True, quantization_scales=scales)


def bias(name, width):
    return Tensor(name, (width,), 32, "int32", is_constant=True, quantization_scales=width)


def network() -> Graph:
    """8x8x1 -> conv to a -> depthwise -> 1x1 conv to b -> add itself -> mean -> dense to 10."""
    tensors = (
        Tensor("x", (1, 8, 8, 1)),
        weights("k1", (A, 3, 3, 1), A),
        bias("b1", A),
        Tensor("c1", (1, 8, 8, A)),
        weights("k2", (1, 3, 3, A), A),
        bias("b2", A),
        Tensor("c2", (1, 8, 8, A)),
        weights("k3", (B, 1, 1, A), B),
        bias("b3", B),
        Tensor("c3", (1, 8, 8, B)),
        Tensor("axes", (2,), 32, "int32", is_constant=True, quantization_scales=0),
        Tensor("m", (1, B)),
        weights("k4", (10, B), 10),
        bias("b4", 10),
        Tensor("y", (1, 10)),
    )
    conv = {"stride_h": 1, "stride_w": 1, "padding": "SAME", "version": 3}
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), conv),
        Operator(1, "DEPTHWISE_CONV_2D", (3, 4, 5), (6,), conv),
        Operator(2, "CONV_2D", (6, 7, 8), (9,), conv),
        Operator(3, "MEAN", (9, 10), (11,), {"version": 2}),
        Operator(4, "FULLY_CONNECTED", (11, 12, 13), (14,), {"version": 4}),
    )
    return Graph("soft", tensors, operators, (0,), (14,))


RESOURCES = {
    "macs": total_macs,
    "tail": arena_tail,
    "flash": flash_bytes,
    "largest working set": largest_working_set,
    "third working set": lambda graph: working_sets(graph)[2],
}
WIDTHS = [(16, 32), (1, 1), (5, 23), (48, 16), (7, 64), (33, 2)]


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("resource", RESOURCES)
def test_soft_equals_exact_at_whole_widths(resource, widths):
    count = RESOURCES[resource]
    exact = count(network().at(dict(zip("ab", widths, strict=True))))
    soft = count(
        network().at({n: tf.constant(float(w)) for n, w in zip("ab", widths, strict=True)})
    )
    assert isinstance(exact, int)
    assert float(soft) == exact


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("name", ["a", "b"])
def test_gradient_is_the_slope_of_the_exact_number(resource, name):
    """Over steps of 16 channels every size moves by whole multiples of its alignment."""
    count, widths = RESOURCES[resource], {"a": 16, "b": 32}
    ahead = count(network().at({**widths, name: widths[name] + 16}))
    slope = (ahead - count(network().at(widths))) / 16
    variables = {n: tf.Variable(float(w)) for n, w in widths.items()}
    with tf.GradientTape() as tape:
        soft = count(network().at(variables))
    gradient = tape.gradient(soft, variables[name], unconnected_gradients="zero")
    assert float(gradient) == pytest.approx(slope)


def test_works_inside_a_compiled_function():
    @tf.function
    def total(a, b):
        graph = network().at({"a": a, "b": b})
        return arena_tail(graph) + flash_bytes(graph)

    graph = network().at({"a": 5, "b": 9})
    soft = total(tf.constant(5.0), tf.constant(9.0))
    assert float(soft) == arena_tail(graph) + flash_bytes(graph)
