"""Positions with open sizes are, at any widths, the positions counted by hand."""

from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.cursor import Cursor
from mcuprune.ir.dim import Dim

MOVES = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([1, 2, 4, 8, 16]), st.booleans()), max_size=12
)


def advanced(position: int, size: int, alignment: int) -> int:
    return -(-(position + size) // alignment) * alignment


@given(MOVES)
def test_counts_alike_with_ints_and_with_open_sizes(moves) -> None:
    by_hand, with_ints, mixed = 0, Cursor(), Cursor()
    for turn, (size, alignment, is_open) in enumerate(moves):
        by_hand = advanced(by_hand, size, alignment)
        with_ints.advance(size, alignment)
        mixed.advance(Dim.width(f"w{turn}") if is_open else size, alignment)
    widths = {f"w{turn}": size for turn, (size, _, _) in enumerate(moves)}
    assert with_ints.total == by_hand
    assert (mixed.total + Dim()).at(widths) == by_hand


def test_residue_looks_past_open_sizes_of_whole_multiples() -> None:
    cursor = Cursor()
    cursor.advance(Dim.width("a"), 8)
    cursor.advance(6, 1)
    assert cursor.residue(4) == 2
