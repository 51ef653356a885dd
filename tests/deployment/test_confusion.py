"""Confusion matrices, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.deployment.confusion import MOST_CLASSES, confusion_counts


@pytest.mark.parametrize("kind", [np.uint8, np.int64])
def test_rows_are_true_classes_and_columns_answers(kind):
    labels = np.array([0, 0, 1, 2, 2, 2], kind)
    in_float = np.array([[0], [0], [1], [2], [2], [2]])
    in_int8 = np.array([[0], [1], [1], [2], [0], [0]])
    counts = confusion_counts(labels, in_float, in_int8, 3)
    assert counts.to_json() == {
        "float": [[2, 0, 0], [0, 1, 0], [0, 0, 3]],
        "int8": [[1, 1, 0], [0, 1, 0], [2, 0, 1]],
    }


def test_small_types_of_labels_do_not_overflow():
    labels, answers = np.array([99], np.uint8), np.array([[99]])
    counts = confusion_counts(labels, answers, answers, 100)
    assert counts.in_int8[99, 99] == 1


def test_nothing_without_labels_or_with_very_many_classes():
    answers = np.array([[0]])
    assert confusion_counts(None, answers, answers, 2) is None
    assert confusion_counts(np.array([0]), None, None, 1) is None
    assert confusion_counts(np.array([0]), answers, answers, MOST_CLASSES + 1) is None
