import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.resources import estimate
from mcuprune.cost.runtime import load_runtime
from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Operator, Tensor

KINDS = sorted(load_runtime().kernels)
shapes = st.lists(st.integers(0, 5), max_size=5).map(tuple)


@st.composite
def odd_graphs(draw):
    """Operators of every kind with any number of inputs of any shape."""
    dtypes = st.sampled_from(["int8", "int16", "int32", "float32", "int4"])
    tensors = draw(
        st.lists(
            st.builds(Tensor, st.just("t"), shapes, st.just(8), dtypes, st.booleans()),
            min_size=1,
            max_size=6,
        )
    )
    index = st.integers(0, len(tensors) - 1)
    inputs = draw(st.lists(st.one_of(index, st.just(-1)), max_size=5))
    outputs = draw(st.lists(index, max_size=2))
    operator = Operator(0, draw(st.sampled_from(KINDS)), tuple(inputs), tuple(outputs))
    return Graph("odd", tuple(tensors), (operator,), (draw(index),), (draw(index),))


@settings(max_examples=300)
@given(odd_graphs())
def test_odd_operators_are_counted_or_refused(graph):
    refusal = None
    try:
        counted = [estimate(graph).peak_sram_bytes, flash_bytes(graph)]
    except InputError as error:
        refusal = str(error)
        counted = []
    assert refusal is None or "operator 0" in refusal
    assert all(number >= 0 for number in counted)


def test_names_the_operator_and_what_it_lacks():
    tensors = (Tensor("x", (1, 4)), Tensor("y", (1, 4)))
    operator = Operator(0, "FULLY_CONNECTED", (0, -1), (1,))
    with pytest.raises(InputError, match=r"operator 0 \(FULLY_CONNECTED\) of net has no input 1"):
        estimate(Graph("net", tensors, (operator,), (0,), (1,)))
