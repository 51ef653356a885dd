"""Marks of axes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.report.page.scale import MOST_TICKS, byte_text, byte_ticks, ticks


@given(st.integers(1, 10**9))
def test_marks_of_bytes_are_few_round_and_within(highest):
    found = byte_ticks(highest)
    assert 1 <= len(found) <= MOST_TICKS + 1
    assert found[0] == 0
    assert found[-1] <= highest
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert all(step & (step - 1) == 0 for step in steps)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_marks_of_numbers_lie_within(lowest, span):
    found = ticks(lowest, lowest + span)
    slack = 1e-6 * (span + abs(lowest))
    assert all(lowest - slack <= value <= lowest + span + slack for value in found)
    assert 1 <= len(found) <= MOST_TICKS + 2


@pytest.mark.parametrize(("value", "said"), [(48, "48 B"), (65536, "64 KiB"), (1536, "1,536 B")])
def test_bytes_as_they_are_written(value, said):
    assert byte_text(value) == said


def test_a_span_of_nothing_has_one_mark():
    assert ticks(2.0, 2.0) == [2.0]
