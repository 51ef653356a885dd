"""Confusion matrices as they are shown."""

from __future__ import annotations

import pytest

from mcuprune.report.contents import Confusion
from mcuprune.report.page.confusion import MOST_CLASSES, confusion_view

COUNTS = ((4, 1, 0), (0, 5, 0), (2, 0, 3))


def test_classes_without_names_have_numbers():
    view = confusion_view(Confusion("in int8", "interpreter (LiteRT)", COUNTS))
    assert view.classes == ("0", "1", "2")
    assert not view.is_named
    assert view.entries == (
        "class 2 taken for class 0: 2 of 5",
        "class 0 taken for class 1: 1 of 5",
    )
    assert view.rows[1][1].said == "class 1 answered right: 5 of 5"


def test_classes_have_the_names_that_are_given():
    view = confusion_view(Confusion("in int8", "", COUNTS, ("up", "down", "left")))
    assert view.classes == ("up", "down", "left")
    assert view.is_named
    assert view.entries[0] == "left taken for up: 2 of 5"
    assert view.rows[1][1].said == "down answered right: 5 of 5"


def test_many_classes_are_told_in_words():
    size = MOST_CLASSES + 1
    counts = tuple(tuple(int(row == column) for column in range(size)) for row in range(size))
    view = confusion_view(Confusion("in int8", "", ((0, 1, *([0] * (size - 2))), *counts[1:])))
    assert view.rows == ()
    assert view.entries == ("class 0 taken for class 1: 1 of 1",)


def test_numbers_are_set_for_the_strength_of_their_cell():
    """Roots of 0.25, 0.36, 0.64 of a row of 100: 0.5, 0.6, 0.8."""
    counts = ((25, 36, 39), (0, 64, 36), (0, 0, 100))
    (first, second, _) = confusion_view(Confusion("", "", counts)).rows
    assert [cell.depth for cell in first[:2]] == ["pale", "half"]
    assert second[1].strength == pytest.approx(0.8)
    assert [cell.depth for cell in second] == ["pale", "deep", "half"]
