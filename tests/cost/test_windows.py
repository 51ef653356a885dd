"""How many taps of a sliding window lie inside, against counting them one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.windows import pooling_windows
from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Operator, Tensor


def windows(size, taps, stride, outputs, filter_w=1):
    attributes = {"padding": "SAME", "filter_h": taps, "filter_w": filter_w, "stride_h": stride}
    tensors = tuple(
        Tensor(name, (1, rows, 1, 1), bits=8, dtype="int8", is_constant=False, is_variable=False)
        for name, rows in (("x", size), ("y", outputs))
    )
    pool = Operator(0, "MAX_POOL_2D", (0,), (1,), attributes)
    return pooling_windows(Graph("pool", tensors, (pool,), (0,), (1,)), pool)


small = st.integers(1, 12)


@given(small, small, small, small)
def test_taps_inside_are_those_counted_one_by_one(size, taps, stride, outputs):
    before = max(0, (outputs - 1) * stride + taps - size) // 2
    places = [at * stride + tap - before for at in range(outputs) for tap in range(taps)]
    expected = sum(0 <= place < size for place in places)
    assert windows(size, taps, stride, outputs).rows_inside == expected


def test_a_window_of_two_thousand_million_elements_is_counted_at_once():
    # Fourteen places, each with the whole of the image under the window.
    assert windows(14, 2**31 - 1, 1, 14).rows_inside == 14 * 14


def test_absurd_windows_are_refused():
    with pytest.raises(InputError, match=r"slides a window of 1,000,000 elements"):
        windows(10**6, 10**6, 1, 10**6)
