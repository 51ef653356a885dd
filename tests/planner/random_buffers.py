"""Buffers for property tests, and the smallest plan of a few by trying every order."""

import itertools

from hypothesis import strategies as st

from mcuprune.planner.lifetimes import Buffer


@st.composite
def buffer_lists(draw, most, steps=8, prescribed=False):
    made = []
    for tensor in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, steps))
        last = draw(st.integers(first, steps))
        offset = None
        if prescribed and tensor == 0:
            offset = draw(st.none() | st.integers(0, 6).map(lambda units: 16 * units))
        made.append(Buffer(tensor, 16 * draw(st.integers(1, 12)), first, last, offset))
    return made


def load(buffers):
    """Bytes in use at the busiest step."""
    steps = {buffer.first_step for buffer in buffers}
    return max(
        sum(b.size_bytes for b in buffers if b.first_step <= s <= b.last_step) for s in steps
    )


def smallest_by_trying(buffers):
    """Height of the smallest plan: some order of lowest-gap placing gives it."""
    fixed = [b for b in buffers if b.offline_offset_bytes is not None]
    free = [b for b in buffers if b.offline_offset_bytes is None]
    return min(_stacked(fixed, order) for order in itertools.permutations(free))


def _stacked(fixed, order):
    placed = [(b, b.offline_offset_bytes) for b in fixed]
    for buffer in order:
        met = [(o, o + b.size_bytes) for b, o in placed if b.meets(buffer)]
        spots = [0, *(end for _, end in met)]
        lowest = min(
            spot
            for spot in spots
            if all(spot + buffer.size_bytes <= start or end <= spot for start, end in met)
        )
        placed.append((buffer, lowest))
    return max(offset + b.size_bytes for b, offset in placed)
