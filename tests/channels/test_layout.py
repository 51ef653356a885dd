import numpy as np

from mcuprune.channels.layout import FIXED, Layout

A = Layout(np.array([0, 1, 2]))


def alive(*channels: int) -> np.ndarray:
    return np.isin(np.arange(5), channels)


def test_positions_of_a_concatenation_are_offset_by_full_widths() -> None:
    joined = Layout.joined([A, Layout.fixed(2), A])
    # Channels stand at 0-2 and 5-7, what is fixed at 3-4.
    assert joined.positions(alive(0, 2)).tolist() == [0, 2, 3, 4, 5, 7]


def test_positions_of_a_depthwise_multiplier_stand_in_runs() -> None:
    assert A.repeated(2).positions(alive(1)).tolist() == [2, 3]


def test_positions_of_a_flattened_tensor_repeat_once_per_pixel() -> None:
    assert A.tiled(4).positions(alive(2)).tolist() == [2, 5, 8, 11]


def test_renumbering_leaves_fixed_positions_fixed() -> None:
    layout = Layout(np.array([2, FIXED, 0]))
    assert layout.renumbered(np.array([7, 8, 9])).channels.tolist() == [9, FIXED, 7]


def test_numbers_name_each_channel_once() -> None:
    assert Layout(np.array([4, FIXED, 1, 4])).numbers.tolist() == [1, 4]
