"""Data of the benchmarks, cut short."""

from __future__ import annotations

import pytest
from accuracy.tasks import TASKS

from mcuprune.recipes.datasets.dataset import Dataset


@pytest.fixture
def digits(monkeypatch):
    """The digits task with few inputs."""
    whole = TASKS["digits"].data(None)
    few = Dataset(
        whole.x_train[:64],
        whole.y_train[:64],
        whole.x_val[:20],
        whole.y_val[:20],
        whole.x_test[:20],
        whole.y_test[:20],
        classes=10,
        input_shape=(8, 8, 1),
    )
    monkeypatch.setattr(type(TASKS["digits"]), "data", lambda *_: few)
    return few
