"""Confusion matrices, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.deployment.confusion import MOST_CLASSES, checked_class_names, confusion_counts
from mcuprune.errors import InputError


@pytest.mark.parametrize("kind", [np.uint8, np.int64])
def test_rows_are_true_classes_and_columns_answers(kind):
    labels = np.array([0, 0, 1, 2, 2, 2], kind)
    in_float = np.array([[0], [0], [1], [2], [2], [2]])
    in_int8 = np.array([[0], [1], [1], [2], [0], [0]])
    counts = confusion_counts(labels, in_float, in_int8, 3)
    assert counts.to_json(("rest", "shake", "tap")) == {
        "classes": ["rest", "shake", "tap"],
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


def test_classes_without_names_are_null():
    answers = np.array([[0]])
    assert confusion_counts(np.array([0]), answers, answers, 2).to_json()["classes"] is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["rest", "shake"], "class_names has 2 names for 3 classes"),
        ("abc", "class_names is 'abc', expected a list of texts"),
        (["rest", "shake", 3], r"class_names is \['rest', 'shake', 3\], expected a list of texts"),
    ],
)
def test_names_that_are_not_one_text_per_class_are_refused(names, message):
    with pytest.raises(InputError, match=message):
        checked_class_names(names, 3)
