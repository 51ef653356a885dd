from __future__ import annotations

import re

import pytest
from trial_rows import finished

from mcuprune.sweep.chart import pareto_charts
from mcuprune.sweep.front import with_front
from mcuprune.sweep.page import render_pareto
from mcuprune.sweep.summary import Summary

ROWS = with_front(
    [
        finished(0, 0.8, 10_000, flash=40_000, macs=100, board="nucleo-f446re", latency_ms=1.0),
        finished(1, 0.9, 100_000, flash=80_000, macs=900, board="nucleo-f446re", latency_ms=9.0),
        finished(2, 0.7, 50_000, flash=80_000, macs=900, board="nucleo-f446re", latency_ms=9.0),
        finished(3, 0.85, 60_000, flash=60_000, macs=500, board=None),
    ]
)


def test_a_dot_for_each_trial_that_has_the_resource():
    charts = {chart.title: chart for chart in pareto_charts(ROWS)}
    assert list(charts) == ["SRAM (arena)", "Flash (file)", "Latency", "MACs"]
    assert [len(chart.dots) for chart in charts.values()] == [4, 4, 3, 4]
    assert [dot.is_on_front for dot in charts["MACs"].dots] == [True, True, False, True]


def test_places_and_limits():
    chart = pareto_charts(ROWS)[0]
    # nucleo-f446re has an arena of 128 KiB, which is the right edge less 5%.
    right = 131_072 * 1.05
    assert [limit.text for limit in chart.limits] == ["nucleo-f446re: 128 KiB"]
    assert chart.limits[0].left == pytest.approx(100 * 131_072 / right)
    assert chart.dots[1].left == pytest.approx(100 * 100_000 / right)
    # Accuracies run from 0.7 to 0.9, a tenth of that more at each end.
    assert chart.dots[1].bottom == pytest.approx(100 * (0.2 + 0.02) / 0.24)


def test_a_limit_far_to_the_right_is_told():
    flash = pareto_charts(ROWS)[1]
    assert flash.limits == ()
    assert flash.notes == ("nucleo-f446re has 512 KiB, beyond the right edge",)


def test_the_steps_rise_only():
    line = pareto_charts(ROWS)[0].steps[0]
    corners = [tuple(map(float, corner.split(","))) for corner in line.points.split()]
    assert [y for _, y in corners] == sorted((y for _, y in corners), reverse=True)
    # Two trials of the board are on it, the third lies below: four corners.
    assert len(corners) == 4


def test_the_page_is_whole_and_escapes_names():
    rows = [*ROWS, finished(4, 0.9, 1000, settings='{"training.optimizer": "<script>"}')]
    page = render_pareto(Summary("/nowhere", tuple(rows)), "<b>title</b>")
    assert "<b>title" not in page
    assert "=<script>" not in page
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert page.count('class="dot') == 5 + 5 + 3 + 5
    assert "trials/0001/deployment/report.html" in page
    assert "budget: SRAM 100,000 B" in page


def test_a_sweep_without_a_finished_trial_has_a_page():
    assert "No trial has finished yet" in render_pareto(Summary("/nowhere", ()), "title")
