from __future__ import annotations

import dataclasses

from trial_rows import finished

from mcuprune.sweep.front import dominates, front, with_front
from mcuprune.sweep.row import STOPPED


def test_better_in_one_and_worse_in_none_dominates():
    row = finished(0, 0.9, 4000)
    assert dominates(finished(1, 0.9, 3999), row)
    assert dominates(finished(1, 0.91, 4000), row)
    assert not dominates(finished(1, 0.9, 4000), row)
    assert not dominates(finished(1, 0.95, 4001), row)
    assert not dominates(finished(1, 0.95, 3000, flash=10_001), row)


def test_boards_do_not_compare():
    assert not dominates(finished(1, 0.99, 10, board="a"), finished(0, 0.5, 9000, board="b"))


def test_time_is_latency_where_it_is_known():
    slow = finished(0, 0.9, 4000, macs=500, latency_ms=9.0)
    fast = finished(1, 0.9, 4000, macs=900, latency_ms=3.0)
    assert dominates(fast, slow)
    assert not dominates(slow, fast)
    unknown = dataclasses.replace(fast, latency_ms=None)
    assert dominates(slow, unknown)


def test_the_front_is_what_nobody_dominates():
    rows = [
        finished(0, 0.90, 4000),
        finished(1, 0.95, 6000),
        finished(2, 0.94, 7000),
        finished(3, 0.80, 2000),
        finished(4, 0.99, 100, board="b"),
        dataclasses.replace(finished(5, 0.99, 100), status=STOPPED),
    ]
    assert [row.trial for row in front(rows)] == [1, 0, 3, 4]
    assert [row.on_front for row in with_front(rows)] == [1, 1, 0, 1, 1, 0]


def test_equals_stand_side_by_side():
    assert len(front([finished(0, 0.9, 4000), finished(1, 0.9, 4000)])) == 2
