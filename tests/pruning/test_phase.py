import pytest

from mcuprune.pruning.phase import MOVES, Phase


def test_moves_and_cuts_come_at_their_shares_of_the_phase() -> None:
    phase = Phase(start_step=100, end_step=300, cuts=2)
    phase.advance(100)
    assert (list(phase.due_moves()), phase.due_cut()) == ([], None)
    phase.advance(99)  # 199 of 200 steps would be 99 moves
    assert list(phase.due_moves()) == pytest.approx([n / MOVES for n in range(1, 100)])
    assert (phase.due_cut(), phase.next_cut) == (None, 0.5)
    phase.advance(1)
    assert list(phase.due_moves()) == [0.5]
    assert (phase.due_cut(), phase.next_cut) == (0.5, 1.0)
    assert phase.due_cut() is None


def test_of_several_cuts_that_are_due_the_last_is_made() -> None:
    phase = Phase(start_step=0, end_step=10, cuts=5)
    phase.advance(7)
    assert phase.due_cut() == pytest.approx(0.6)
    phase.advance(100)
    assert len(list(phase.due_moves())) == MOVES
    assert phase.due_cut() == 1.0
    assert phase.due_cut() is None


def test_a_phase_goes_on_where_another_was() -> None:
    first, second = Phase(0, 100, 4), Phase(0, 100, 4)
    first.advance(30)
    assert (len(list(first.due_moves())), first.due_cut()) == (60, 0.25)
    second.restore(first.state())
    assert (list(second.due_moves()), second.due_cut()) == ([], None)
    second.advance(20)
    assert (second.due_cut(), second.next_cut) == (0.5, 0.75)
