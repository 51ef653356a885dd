"""Lines over epochs, point by point."""

from __future__ import annotations

import pytest

from mcuprune.report.history import Series, Training
from mcuprune.report.page.curves import HEADROOM_OF_LIMIT, MOST_OF_BUDGET, line_charts

PRUNING = Training(
    "pruning",
    2,
    accuracies=(Series("validation", (0.5, 1.0)),),
    losses=(),
    resources=(Series("flash B", (3000.0, 1500.0), 2000.0),),
)


def points(line):
    return [tuple(float(n) for n in pair.split(",")) for pair in line.points.split()]


def test_resources_are_shares_of_their_budget():
    chart = line_charts([PRUNING])[1]
    top = 1.5 * (1 + HEADROOM_OF_LIMIT)
    assert chart.limit.bottom == pytest.approx(100 / top)
    # Epochs stand in the middle of their halves; y runs downwards in 1,000 units.
    assert points(chart.lines[0]) == [
        (250, pytest.approx(1000 - 1500 / top, abs=0.1)),
        (750, pytest.approx(1000 - 750 / top, abs=0.1)),
    ]
    assert chart.lines[0].last == "75%"
    assert chart.columns[0].lines == ("flash: 150%",)


def test_what_is_far_over_the_budget_is_cut_off():
    series = (Series("MACs", (100.0, 1.0), 1.0),)
    chart = line_charts([Training("pruning", 2, (), (), series)])[0]
    assert points(chart.lines[0])[0][1] == 0
    assert chart.ticks[-1].text == f"{MOST_OF_BUDGET:.0%}"


def test_quantization_goes_on_where_pruning_ended():
    aware = Training("quantization", 1, (Series("validation", (0.75,)),), (), ())
    chart = line_charts([PRUNING, aware])[0]
    assert len(chart.columns) == 3
    assert points(chart.lines[1])[0][0] == pytest.approx(1000 * 2.5 / 3, abs=0.1)
    assert chart.columns[2].lines == ("quantization, validation: 75.0%",)


def test_absent_numbers_leave_a_gap():
    holes = Training("reference", 3, (Series("validation", (0.5, None, 0.7)),), (), ())
    chart = line_charts([holes])[0]
    assert len(points(chart.lines[0])) == 2
    assert chart.columns[1].lines == ()


def test_without_a_log_there_is_no_chart():
    assert line_charts([]) == ()
