import numpy as np
import pytest

from mcuprune.channels.layout import Layout, Segment
from mcuprune.ir.graph import Dim

A3 = Layout((Segment("a", 3),))


def test_positions_of_a_concatenation_are_offset_by_full_widths() -> None:
    joined = Layout((Segment("a", 3), Segment(None, 2), Segment("a", 3)))
    # a stands at 0-2 and 5-7, the fixed channels at 3-4.
    assert joined.positions({"a": np.array([0, 2])}).tolist() == [0, 2, 3, 4, 5, 7]


def test_positions_of_a_depthwise_multiplier_stand_in_runs() -> None:
    assert A3.repeated(2).positions({"a": np.array([1])}).tolist() == [2, 3]


def test_positions_of_a_flattened_tensor_repeat_once_per_pixel() -> None:
    flat = Layout((Segment("a", 3),), tiles=4)
    assert flat.positions({"a": np.array([2])}).tolist() == [2, 5, 8, 11]


def test_dim_counts_repeats_and_tiles() -> None:
    layout = Layout((Segment("a", 3, repeat=2), Segment(None, 1)), tiles=5)
    assert layout.dim() == Dim(5, (("a", 10),))
    assert layout.size == 5 * (3 * 2 + 1)


@pytest.mark.parametrize(
    ("layout", "index"),
    [
        (A3, [4, 5, 6]),
        (Layout((Segment("b", 2), Segment(None, 1), Segment("a", 3))), [9, 9, 9, 4, 5, 6]),
        (Layout((Segment("a", 3),), tiles=2), [4, 5, 6, 4, 5, 6]),
    ],
)
def test_gate_index_points_unowned_channels_to_the_open_gate(
    layout: Layout, index: list[int]
) -> None:
    assert layout.gate_index({"a": 4}, always_open=9).tolist() == index
