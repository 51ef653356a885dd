"""The Markdown says what the report says, and names do nothing in it."""

from __future__ import annotations

from run_folder import HOSTILE

from mcuprune.report.gather import read_report
from mcuprune.report.markdown import escaped, render_markdown


def test_verdict_first_then_tables(run):
    lines = render_markdown(read_report(run)).splitlines()
    assert lines[0] == "# Fits the budget: A tiny run"
    assert "| MACs | **512** | 5,000 | 4,488 to spare | predicted |" in lines
    assert "| accuracy, int8 | 87.5% | 75.0% | -12.5 points | interpreter (LiteRT) |" in lines
    assert "| tiny | 8 | 4 |" in lines
    assert "- down taken for tiny: 2 of 6" in lines
    assert "| instructions per inference | 12,345 |  |" in lines


def test_every_table_has_as_many_cells_in_each_row(run):
    text = render_markdown(read_report(run))
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1


def test_names_are_text_and_nothing_else(hostile_run):
    text = render_markdown(read_report(hostile_run))
    assert HOSTILE not in text
    assert escaped(HOSTILE) in text
    # Every bracket of HTML has a backslash before it.
    assert all(text[i - 1] == "\\" for i, letter in enumerate(text) if letter == "<")
