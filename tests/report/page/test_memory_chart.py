"""Where rectangles stand, from offsets and bytes counted by hand."""

from __future__ import annotations

import dataclasses

import pytest

from mcuprune.report.contents import ArenaOf
from mcuprune.report.occupancy import Arena, Block, LiveTensor, Step
from mcuprune.report.page.memory import HEADROOM, memory_panel

TAIL = 1000
BLOCK = Block("in", (10, 10), "int8", 100, 0, 0, 0)


def arena(gap: int = 0) -> Arena:
    """in (100 B) is read by operator 0, which writes out (300 B), read by operator 1."""
    blocks = (
        Block("in", (10, 10), "int8", 100, 300 + gap, 0, 0),
        Block("out", (10, 30), "int8", 300, 0, 0, 1),
        Block("scratch", (), "", 50, 300, 1, 1),
    )
    steps = (
        Step(0, "CONV_2D", (_live(0, 100, "reads"), _live(1, 300, "writes"))),
        Step(1, "MEAN", (_live(1, 300, "reads"), _live(2, 50, "scratch"))),
    )
    return Arena(blocks, steps, 400 + gap, TAIL, is_planned_in_file=False)


def _live(block: int, size_bytes: int, role) -> LiveTensor:
    return LiveTensor(("in", "out", "scratch")[block], (), size_bytes, role, block)


def charts(budget=None, gap=0):
    return memory_panel(ArenaOf("pruned", arena(gap), ""), budget).charts


def test_live_tensors_stand_on_the_tail_and_on_each_other():
    live, _ = charts()
    highest = 1400 * HEADROOM
    tail, first, second, third, fourth = live.pieces
    assert (tail.left, tail.width) == (0, 100)
    assert tail.height == pytest.approx(100 * 1000 / highest)
    assert first.bottom == pytest.approx(100 * 1000 / highest)
    assert second.bottom == pytest.approx(100 * 1100 / highest)
    assert [p.left for p in (first, second, third, fourth)] == [0, 0, 50, 50]
    assert second.block == third.block == 1
    assert second.colour == third.colour != first.colour
    assert fourth.colour == "scratch"


def test_the_map_has_offsets_and_lifetimes():
    _, by_offset = charts()
    highest = 400 * HEADROOM
    data, out, scratch = by_offset.pieces
    assert (out.left, out.width) == (0, 100)
    assert out.bottom == 0
    assert out.height == pytest.approx(100 * 300 / highest)
    assert (data.left, data.width) == (0, 50)
    assert data.bottom == scratch.bottom == pytest.approx(100 * 300 / highest)
    assert "10\u00d730 int8" in out.lines
    assert "offset 0 to 300" in out.lines
    assert "operators 0 to 1" in out.lines


def test_a_name_that_the_converter_joined_is_told_in_short():
    joined = dataclasses.replace(BLOCK, name="net/relu;net/bias;net/conv", in_place_of="a;b")
    step = Step(0, "ADD", (LiveTensor(joined.name, (), 100, "writes", 0),))
    (live, whole) = memory_panel(
        ArenaOf("x", Arena((joined,), (step,), 100, TAIL, is_planned_in_file=False), ""), None
    ).charts
    assert [piece.name for piece in live.pieces] == ["persistent tail", "net/relu"]
    assert whole.pieces[0].name == "net/relu"
    assert "written over a" in whole.pieces[0].lines


def test_the_budget_is_a_line_in_both():
    live, by_offset = charts(budget=1500)
    assert live.budget.bottom == pytest.approx(100 / HEADROOM)
    assert live.budget.text == "budget 1,500 B"
    # What it leaves for the head.
    assert by_offset.budget.text == "budget without the tail 500 B"
    assert by_offset.budget.bottom == pytest.approx(100 / HEADROOM)


def test_a_budget_far_away_is_said_instead():
    live, _ = charts(budget=100_000)
    assert live.budget is None
    assert live.budget_note == "budget 100,000 B, above this chart"
    assert max(p.bottom + p.height for p in live.pieces) > 90


def test_gaps_of_the_plan_are_a_line():
    assert charts()[0].arena is None
    live, _ = charts(gap=64)
    assert live.arena.text == "arena 1,464 B, with the plan's gaps"
    assert live.arena.bottom == pytest.approx(100 / HEADROOM)


def test_the_peak_is_marked_and_said():
    panel = memory_panel(ArenaOf("pruned", arena(), ""), None)
    assert [column.is_peak for column in panel.charts[0].columns] == [True, False]
    assert "The peak is operator 0 (CONV_2D) with 400 B live." in panel.sentence
