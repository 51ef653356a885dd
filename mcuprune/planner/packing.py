"""The placing of buffers as a packing problem: who meets whom, and what no plan can go below.

Rectangles whose place in time is given have to be packed into a strip as low as possible ("dynamic
storage allocation"). Of all moments only those matter whose set of buffers is contained in no other
moment's: the maximal ones, called sections here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

from mcuprune.planner.lifetimes import Buffer

# A bit for each: two megabytes. Of 16 bytes a step that is an arena of 256 MiB.
MOST_SUMS = 2**24


@dataclasses.dataclass(frozen=True)
class Packing:
    """A packing problem.

    Attributes:
        sizes_bytes: Size of each buffer.
        prescribed: Its offset where that is given, else None.
        neighbours: Per buffer the others that are in use at some same step.
        sections: The maximal sets of buffers that are in use at one step, in the order of time.
    """

    sizes_bytes: tuple[int, ...]
    prescribed: tuple[int | None, ...]
    neighbours: tuple[tuple[int, ...], ...]
    sections: tuple[tuple[int, ...], ...]

    def restricted(self, kept: Iterable[int]) -> Packing:
        """Return the problem of some of the buffers alone; they are numbered anew, in order."""
        chosen = sorted(set(kept))
        number = {old: new for new, old in enumerate(chosen)}
        sections = [tuple(number[i] for i in section if i in number) for section in self.sections]
        return Packing(
            tuple(self.sizes_bytes[i] for i in chosen),
            tuple(self.prescribed[i] for i in chosen),
            tuple(tuple(number[j] for j in self.neighbours[i] if j in number) for i in chosen),
            tuple(_maximal(sections)),
        )

    def height_bytes(self, offsets_bytes: Sequence[int]) -> int:
        """Return the end of the buffer that ends last."""
        ends = map(sum, zip(offsets_bytes, self.sizes_bytes, strict=True))
        return max(ends, default=0)


def packing_of(buffers: Sequence[Buffer]) -> Packing:
    """Return the packing problem of buffers whose sizes are ints."""
    steps = sorted({buffer.first_step for buffer in buffers})
    live = [
        tuple(i for i, b in enumerate(buffers) if b.first_step <= step <= b.last_step)
        for step in steps
    ]
    sections = tuple(_maximal(live))
    met: list[set[int]] = [set() for _ in buffers]
    for section in sections:
        for index in section:
            met[index].update(section)
    return Packing(
        tuple(int(buffer.size_bytes) for buffer in buffers),
        tuple(buffer.offline_offset_bytes for buffer in buffers),
        tuple(tuple(sorted(others - {index})) for index, others in enumerate(met)),
        sections,
    )


def components(packing: Packing) -> Iterator[list[int]]:
    """Yield the sets of buffers that have no neighbour in common with the others."""
    seen: set[int] = set()
    for start in range(len(packing.sizes_bytes)):
        if start in seen:
            continue
        found, waiting = [], [start]
        seen.add(start)
        while waiting:
            index = waiting.pop()
            found.append(index)
            waiting += [other for other in packing.neighbours[index] if other not in seen]
            seen.update(packing.neighbours[index])
        yield sorted(found)


def floor_bytes(packing: Packing) -> int:
    """Return a size that no plan can go below: the fullest section, as a height that can occur."""
    fullest = max((_section_floor(packing, section) for section in packing.sections), default=0)
    return reachable_from(packing, fullest)


def reachable_from(packing: Packing, least_bytes: int) -> int:
    """Return the smallest sum of sizes that is at least ``least_bytes``, as far as that is quick.

    Where sums could be more than :data:`MOST_SUMS`, in arenas that no device has, it is
    ``least_bytes`` itself.

    Pushed down as far as they go, buffers stand on each other, so that every plan can be turned
    into one, no higher, whose height is a sum of sizes (and, above a buffer whose offset is
    prescribed, of that offset).
    """
    unit = math.gcd(*packing.sizes_bytes, *(p for p in packing.prescribed if p is not None)) or 1
    total = sum(packing.sizes_bytes) + max((p or 0 for p in packing.prescribed), default=0)
    if total <= least_bytes or total // unit > MOST_SUMS:
        return least_bytes
    sums = 1
    for offset in packing.prescribed:
        sums |= 0 if offset is None else 1 << (offset // unit)
    for size_bytes in packing.sizes_bytes:
        sums |= sums << (size_bytes // unit)
    above = sums >> -(-least_bytes // unit)
    lowest_bit = (above & -above).bit_length() - 1
    return (-(-least_bytes // unit) + lowest_bit) * unit


def _section_floor(packing: Packing, section: Sequence[int]) -> int:
    ends = [
        offset + packing.sizes_bytes[i]
        for i in section
        if (offset := packing.prescribed[i]) is not None
    ]
    return max(sum(packing.sizes_bytes[i] for i in section), *ends, 0)


def _maximal(sections: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Drop sections contained in a neighbour in time; of intervals no others can contain them."""
    kept: list[tuple[int, ...]] = []
    for section in sections:
        if kept and set(kept[-1]) <= set(section):
            kept.pop()
        if section and not (kept and set(section) <= set(kept[-1])):
            kept.append(section)
    return kept
