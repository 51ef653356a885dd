from __future__ import annotations

import numpy as np
import pytest

from mcuprune.engines.compare import Agreement, compare_outputs
from mcuprune.errors import EngineError


def test_counts_differing_bytes_and_winners():
    a = np.array([[-128, 127], [5, 6], [1, 0]], np.int8)
    b = np.array([[127, 127], [5, 7], [1, 0]], np.int8)
    # Rows differ by 255 (winner 1 against the tie's first, 0), by 1 (winner kept), not at all.
    assert compare_outputs(a, b) == Agreement(
        inputs=3,
        bytes_total=6,
        bytes_differing=2,
        largest_difference=255,
        top1_agreement=2 / 3,
    )


@pytest.mark.parametrize(
    "other", [np.zeros((2, 3), np.int8), np.zeros((2, 2), np.uint8), np.zeros((0, 2), np.int8)]
)
def test_different_forms_are_refused(other):
    with pytest.raises(EngineError, match="cannot compare"):
        compare_outputs(np.zeros((2, 2), np.int8), other)


def test_nothing_to_compare_is_refused():
    with pytest.raises(EngineError, match="at least one"):
        compare_outputs(np.zeros((0, 2), np.int8), np.zeros((0, 2), np.int8))
