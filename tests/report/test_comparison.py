"""Changes from before to after, and how they are written."""

from __future__ import annotations

import pytest

from mcuprune.report.comparison import ComparisonRow, comparison_rows, written, written_change


def row(before, after, unit="B", limit=None):
    return ComparisonRow("it", before, after, limit, unit, "predicted")


@pytest.mark.parametrize(
    ("before", "after", "unit", "said"),
    [
        (200, 50, "B", "-75%"),
        (50, 75, "B", "+50%"),
        (1000, 1001, "B", "0%"),
        (0.9, 0.912, "share", "+1.2 points"),
        (None, 5, "B", ""),
        (0, 5, "B", ""),
    ],
)
def test_changes(before, after, unit, said):
    assert written_change(row(before, after, unit)) == said


def test_over_the_limit():
    assert row(1, 11, limit=10).is_over
    assert not row(1, 10, limit=10).is_over
    assert not row(1, 11).is_over


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1234567, "B", "1,234,567 B"),
        (0.10083, "mJ", "0.101 mJ"),
        (None, "B", ""),
        (12.3, "", "12.3"),
    ],
)
def test_written(value, unit, said):
    assert written(value, unit) == said


def test_without_a_reference_there_is_no_before():
    pruned = {"runtime": "tflm-reference", "pointer_bits": 64, "arena_total_bytes": 7}
    pruned |= {"tflite_bytes": 8, "macs": 9, "params": 10}
    found = {"resources": {"reference": None, "pruned": pruned}, "budget": None, "accuracy": {}}
    rows = comparison_rows(found)
    assert [(each.before, each.after) for each in rows] == [
        (None, 7),
        (None, 8),
        (None, 9),
        (None, 10),
    ]
