"""Widths within a floor and a cap, in multiples; expectations by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.pruning.allowed import Allowed, allowed_widths


@pytest.mark.parametrize(
    ("width", "options", "smallest", "largest"),
    [
        (16, {}, 1, 16),
        (16, {"multiple": 4}, 4, 16),
        # A group narrower than the multiple keeps its width.
        (3, {"multiple": 4}, 3, 3),
        (3, {"multiple": 4, "cap": 2}, 2, 2),
        # The width it has is allowed, multiple or not.
        (10, {"multiple": 4}, 4, 10),
        # Fewest and most channels move inwards to a multiple.
        (16, {"multiple": 4, "floor": 5}, 8, 16),
        (16, {"multiple": 4, "cap": 11}, 4, 8),
        # No multiple lies between 5 and 7: the cap.
        (16, {"multiple": 4, "floor": 5, "cap": 7}, 7, 7),
        (16, {"multiple": 4, "cap": 3}, 3, 3),
        (16, {"floor": 99}, 16, 16),
        (16, {"cap": 99}, 1, 16),
    ],
)
def test_floor_and_cap(width, options, smallest, largest):
    found = allowed_widths(width, **options)
    assert (found.smallest, found.largest) == (smallest, largest)


def test_steps_from_a_width_that_is_no_multiple():
    allowed = Allowed(4, 17, multiple=4)
    assert [allowed.narrower(17), allowed.narrower(16), allowed.narrower(4)] == [16, 12, 4]
    assert [allowed.wider(12), allowed.wider(16), allowed.wider(17)] == [16, 17, 17]


@given(st.integers(1, 64), st.integers(1, 17), st.integers(1, 64), st.none() | st.integers(1, 64))
def test_every_step_is_allowed(width, multiple, floor, cap):
    if cap is not None and cap < floor:
        return
    allowed = allowed_widths(width, multiple, floor, cap)
    top = width if cap is None else min(width, cap)
    assert min(floor, top) <= allowed.smallest <= allowed.largest <= top
    found, seen = allowed.smallest, [allowed.smallest]
    while (wider := allowed.wider(found)) > found:
        found = wider
        seen.append(found)
    assert found == allowed.largest
    # Inside the range all widths are multiples.
    assert all(w % multiple == 0 for w in seen[1:-1])
    assert all(allowed.nearest(w) == w for w in seen)
    assert [allowed.narrower(w) for w in seen[1:]] == seen[:-1]
