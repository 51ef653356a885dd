"""The formulas at soft widths: the exact number at whole widths, and true slopes."""

import numpy as np
import pytest

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.macs import total_macs
from mcuprune.cost.memory import arena_tail, working_sets
from mcuprune.cost.open_costs import OpenCosts
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


COSTS = {
    "macs": lambda costs: costs.macs,
    "arena_tail": lambda costs: costs.arena_tail,
    "flash_bytes": lambda costs: costs.flash_bytes,
    "working_sets": lambda costs: costs.working_sets[2],
}
WEIGHTS = {**dict.fromkeys(COSTS, 1.0), "working_sets": np.array([0.0, 0.0, 1.0, 0.0, 0.0])}
EXACT = {
    "macs": total_macs,
    "arena_tail": arena_tail,
    "flash_bytes": flash_bytes,
    "working_sets": lambda graph: working_sets(graph)[2],
}
WIDTHS = [(16, 32), (1, 1), (5, 23), (48, 16), (7, 64), (33, 2)]


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("cost", COSTS)
def test_open_equals_closed_at_whole_widths(cost, widths):
    at = dict(zip("ab", widths, strict=True))
    exact = EXACT[cost](network().at(at))
    assert isinstance(exact, int)
    assert COSTS[cost](OpenCosts(network()).at(at)) == exact


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("name", ["a", "b"])
def test_slopes_are_those_of_the_exact_number(cost, name):
    """Over steps of 16 channels every size moves by whole multiples of its alignment."""
    exact, widths = EXACT[cost], {"a": 16, "b": 32}
    ahead = exact(network().at({**widths, name: widths[name] + 16}))
    slope = (ahead - exact(network().at(widths))) / 16
    costs = OpenCosts(network())
    slopes = costs.slopes(costs.at(widths), **{cost: WEIGHTS[cost]})
    assert slopes[name] == pytest.approx(slope)
