"""Soft widths in balance, where the balance is known by hand."""

import numpy as np
import pytest
from test_projection import Chain

from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.settle import settled

EVEN = {name: np.full(32, 1 / 32) for name in "ab"}
ALLOWED = {name: Allowed(1, 32) for name in "ab"}
FULL = {"a": 32.0, "b": 32.0}


def test_each_width_falls_to_the_limit_that_binds_it() -> None:
    # Memory of 100 B per channel of a, 50 B per channel of b.
    found = settled(Chain(("sram",)), {"sram": 800}, EVEN, ALLOWED, FULL)
    assert found == {"a": pytest.approx(8, rel=0.1), "b": pytest.approx(16, rel=0.1)}


def test_a_product_is_shared_evenly_where_all_channels_matter_alike() -> None:
    found = settled(Chain(("flash",)), {"flash": 144}, EVEN, ALLOWED, FULL)
    assert found == {"a": pytest.approx(12, rel=0.1), "b": pytest.approx(12, rel=0.1)}


def test_widths_stay_within_what_is_allowed() -> None:
    allowed = {"a": Allowed(20, 32), "b": Allowed(1, 6)}
    found = settled(Chain(("flash",)), {"flash": 60}, EVEN, allowed, FULL)
    # Even shares would be 7.7 each.
    assert found["a"] >= 20
    assert found["a"] * found["b"] == pytest.approx(60, rel=0.1)
