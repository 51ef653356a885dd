import pytest

from mcuprune.errors import PlanError
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.overwrites import require_intact


def graph(second="RELU", outputs=(2,)):
    tensors = tuple(Tensor(n, (1, 32)) for n in "xhy")
    operators = (Operator(0, "CONV_2D", (0,), (1,)), Operator(1, second, (1,), (2,)))
    return Graph("net", tensors, operators, (0,), outputs)


@pytest.mark.parametrize(
    ("network", "offsets"),
    [
        (graph(), (0, 32, 0)),
        (graph(), (0, 32, 32)),
        (graph("RESHAPE"), (0, 32, 32)),
        (graph("RESHAPE", outputs=(1, 2)), (0, 32, 32)),
        (graph("CONV_2D", outputs=(0, 2)), (0, 32, 64)),
    ],
)
def test_sound_plans_pass(network, offsets):
    require_intact(network, offsets)


@pytest.mark.parametrize(
    ("failure", "network", "offsets"),
    [
        ("overlap", graph(), (0, 16, 64)),
        ("overlap", graph(), (0, 32, 48)),
        ("overlap", graph("CONV_2D"), (0, 32, 32)),
        ("spoilt", graph(outputs=(1, 2)), (0, 32, 32)),
        ("spoilt", graph("CONV_2D", outputs=(0, 2)), (0, 32, 0)),
        ("homeless", graph(), (0, -1, 32)),
    ],
)
def test_names_the_failure(failure, network, offsets):
    with pytest.raises(PlanError) as caught:
        require_intact(network, offsets)
    assert caught.value.failure == failure


def test_scratch_memory_spoils_what_it_covers():
    require_intact(graph(), (0, 32, 0), {1: [(64, 32)]})
    for failure, place, outputs in (
        ("overlap", (32, 16), (2,)),
        ("overlap", (0, 16), (2,)),
        ("spoilt", (0, 16), (0, 2)),
    ):
        offsets = (0, 32, 0) if outputs == (2,) else (0, 32, 64)
        with pytest.raises(PlanError) as caught:
            require_intact(graph(outputs=outputs), offsets, {1: [place]})
        assert caught.value.failure == failure


def test_inputs_that_lie_on_each_other_are_found():
    tensors = tuple(Tensor(n, (1, 32)) for n in "aby")
    both = Graph("sum", tensors, (Operator(0, "ADD", (0, 1), (2,)),), (0, 1), (2,))
    with pytest.raises(PlanError) as caught:
        require_intact(both, (0, 16, 64))
    assert caught.value.failure == "spoilt"
