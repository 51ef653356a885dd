"""Fast plans that need not be the smallest: each buffer into the lowest gap, in several orders.

Some order gives a smallest plan (that of the offsets in one), so that trying orders is a search of
its own: the buffers that stand out on top move forward until no time is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from mcuprune.planner.packing import Packing


def first_fit(packing: Packing, order: Sequence[int]) -> list[int]:
    """Place buffers one by one, each as low as its placed neighbours allow.

    Args:
        packing: The problem.
        order: All buffers; those with a prescribed offset are placed first.

    Returns:
        The offset of each buffer.
    """
    offsets: list[int | None] = list(packing.prescribed)
    for index in order:
        if packing.prescribed[index] is None:
            offsets[index] = _lowest(packing, offsets, index)
    return [offset for offset in offsets if offset is not None]


def orders(packing: Packing) -> Iterator[list[int]]:
    """Yield orders that tend to give small plans; the first is that of TFLM's greedy planner."""
    sizes, met = packing.sizes_bytes, packing.neighbours
    crowd = [size + sum(sizes[j] for j in met[i]) for i, size in enumerate(sizes)]
    length = [0] * len(sizes)
    for section in packing.sections:
        for index in section:
            length[index] += 1
    keys: list[Callable[[int], tuple[float, ...]]] = [
        lambda i: (-sizes[i], -i),
        lambda i: (-sizes[i] * length[i], -sizes[i]),
        lambda i: (-crowd[i], -sizes[i]),
        lambda i: (-length[i], -sizes[i]),
        lambda i: (-sizes[i], i),
        lambda i: (-sizes[i] * len(met[i]), -sizes[i]),
        lambda i: (i,),
        lambda i: (-i,),
    ]
    for key in keys:
        yield sorted(range(len(sizes)), key=key)


def quick_height_bytes(packing: Packing) -> int:
    """Return the height of the lowest plan that an order of :func:`orders` gives.

    :func:`mcuprune.planner.optimal.optimal_plan` tries them too, so that its plan is no higher.
    """
    enough = max((sum(packing.sizes_bytes[i] for i in one) for one in packing.sections), default=0)
    lowest = sum(packing.sizes_bytes)
    for order in orders(packing):
        lowest = min(lowest, packing.height_bytes(first_fit(packing, order)))
        if lowest <= enough:
            break
    return lowest


def improved(
    packing: Packing, order: Sequence[int], enough_bytes: int, may_go_on: Callable[[], bool]
) -> list[int]:
    """Change an order step by step, and return the offsets of the lowest plan met.

    A buffer that stands out on top is moved to an earlier place; the new order stays where its plan
    is no higher. The same arguments give the same plan, if time suffices.

    Args:
        packing: The problem.
        order: Where to start.
        enough_bytes: Height at which to stop.
        may_go_on: Asked before each step.
    """
    chance = random.Random(0)
    current, offsets = list(order), first_fit(packing, order)
    height = packing.height_bytes(offsets)
    best, best_height = offsets, height
    while best_height > enough_bytes and may_go_on():
        changed = _with_top_moved(packing, current, offsets, height, chance)
        tried = first_fit(packing, changed)
        tried_height = packing.height_bytes(tried)
        if tried_height <= height or chance.random() < 0.02:
            current, offsets, height = changed, tried, tried_height
        if height < best_height:
            best, best_height = offsets, height
    return best


def _with_top_moved(
    packing: Packing,
    order: Sequence[int],
    offsets: Sequence[int],
    height: int,
    chance: random.Random,
) -> list[int]:
    sizes = packing.sizes_bytes
    top = [i for i in order if offsets[i] + sizes[i] == height]
    moved = chance.choice(top)
    if chance.random() < 0.5:
        below = [j for j in packing.neighbours[moved] if offsets[j] < offsets[moved]]
        moved = chance.choice(below or [moved])
    place = order.index(moved)
    changed = [i for i in order if i != moved]
    changed.insert(chance.randrange(place + 1), moved)
    return changed


def _lowest(packing: Packing, offsets: Sequence[int | None], index: int) -> int:
    sizes = packing.sizes_bytes
    taken = sorted(
        (offset, offset + sizes[j])
        for j in packing.neighbours[index]
        if (offset := offsets[j]) is not None
    )
    lowest = 0
    for start, end in taken:
        if start - lowest >= sizes[index]:
            break
        lowest = max(lowest, end)
    return lowest
