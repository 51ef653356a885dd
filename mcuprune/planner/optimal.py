"""The smallest memory plan for an order of execution, with proof or with the gap that is left."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence

from mcuprune.errors import InputError
from mcuprune.planner.branch_and_bound import Effort, OutOfTime, plan_within
from mcuprune.planner.first_fit import first_fit, improved, orders
from mcuprune.planner.greedy import MemoryPlan
from mcuprune.planner.lifetimes import Buffer
from mcuprune.planner.packing import (
    Packing,
    components,
    floor_bytes,
    packing_of,
    reachable_from,
)
from mcuprune.planner.validate import validate_plan

TIME_LIMIT_S = 10.0
NODE_LIMIT = 2_000_000
# Shares of the time for trying orders, and for proofs on the busiest parts of the schedule.
_SHARE_OF_ORDERS = 0.1
_SHARE_OF_PARTS = 0.2
_SHARE_OF_SEARCH = 0.4
# Steps before the next means is tried, and later, when nothing quick has helped.
_FIRST_STEPS = 50
_MORE_STEPS = 3_000
_FIRST_NODES = 10_000


@dataclasses.dataclass(frozen=True)
class OptimalPlan(MemoryPlan):
    """A memory plan and what is known about the smallest one.

    Attributes:
        buffers: The buffers.
        offsets_bytes: Offset of each from the start of the arena.
        lower_bound_bytes: No plan of these buffers is smaller.
    """

    lower_bound_bytes: int

    @property
    def proven(self) -> bool:
        """Whether no plan is smaller than this one."""
        return self.size_bytes == self.lower_bound_bytes

    @property
    def gap_bytes(self) -> int:
        """Bytes that a smaller plan could save at most."""
        return self.size_bytes - self.lower_bound_bytes


def optimal_plan(
    buffers: Sequence[Buffer],
    *,
    time_limit_s: float = TIME_LIMIT_S,
    node_limit: int = NODE_LIMIT,
) -> OptimalPlan:
    """Place buffers so that the arena is as small as possible.

    Never larger than the plan of TFLM's greedy planner. With the same arguments and enough time the
    result is the same.

    Args:
        buffers: Their sizes are ints, multiples of 16. Those with a prescribed offset stay there.
        time_limit_s: Seconds after which the best plan found is returned, with the best bound.
        node_limit: Steps of exact search after which it ends likewise.

    Raises:
        InputError: A limit is negative.
        PlanError: The buffers cannot be planned: prescribed offsets overlap, a lifetime ends before
            it starts, or a size is no multiple of 16.

    >>> plan = optimal_plan([Buffer(0, 32, 0, 1), Buffer(1, 64, 1, 2), Buffer(2, 16, 2, 3)])
    >>> plan.size_bytes, plan.proven
    (96, True)
    """
    if time_limit_s < 0 or node_limit < 0:
        raise InputError(
            f"time_limit_s={time_limit_s} and node_limit={node_limit}: limits are 0 or larger"
        )
    _require_plannable(buffers)
    deadline = time.monotonic() + time_limit_s
    packing = packing_of(buffers)
    offsets = [0] * len(buffers)
    bound, height, nodes_left = 0, 0, node_limit
    parts = sorted(components(packing), key=lambda part: -floor_bytes(packing.restricted(part)))
    for part in parts:
        # A part no higher than what another part needs is good enough.
        solver = _Solver(packing.restricted(part), height, deadline, nodes_left)
        solver.solve()
        for index, offset in zip(part, solver.offsets, strict=True):
            offsets[index] = offset
        bound, height = max(bound, solver.bound), max(height, solver.height)
        nodes_left = solver.effort.nodes_left
    plan = OptimalPlan(tuple(buffers), tuple(offsets), min(bound, height))
    validate_plan(plan)
    return plan


class _Solver:
    """Narrows the gap between the best plan and the best bound of one connected problem."""

    def __init__(
        self, packing: Packing, enough_bytes: int, deadline: float, node_limit: int
    ) -> None:
        self._packing = packing
        self._deadline = deadline
        self.effort = Effort(self._in_time, node_limit)
        self.bound = floor_bytes(packing)
        self._enough = max(enough_bytes, self.bound)
        self._order = next(orders(packing))
        self.offsets = first_fit(packing, self._order)
        self.height = packing.height_bytes(self.offsets)

    def solve(self) -> None:
        """Set ``offsets``, ``height`` and ``bound``, by what is quick first."""
        for attempt in (
            self._try_orders,
            lambda: self._improve(_FIRST_STEPS),
            lambda: self._search_at_bound(_FIRST_NODES),
            self._search_parts,
            lambda: self._improve(_MORE_STEPS),
            self._search,
        ):
            if self._is_done():
                return
            attempt()

    def _is_done(self) -> bool:
        return self.height <= max(self._enough, self.bound)

    def _take(self, offsets: list[int]) -> None:
        height = self._packing.height_bytes(offsets)
        if height < self.height:
            self.offsets, self.height = offsets, height

    def _try_orders(self) -> None:
        for order in orders(self._packing):
            before = self.height
            self._take(first_fit(self._packing, order))
            self._order = order if self.height < before else self._order
            if self._is_done():
                return

    def _improve(self, steps: int) -> None:
        may_go_on = self._until(_SHARE_OF_ORDERS, steps)
        self._take(improved(self._packing, self._order, max(self._enough, self.bound), may_go_on))

    def _search_at_bound(self, nodes: int) -> None:
        effort = Effort(self._in_time, min(nodes, self.effort.nodes_left))
        with contextlib.suppress(OutOfTime):
            found = plan_within(self._packing, self.bound, effort)
            if found is not None:
                self._take(found)
            else:
                self.bound = min(self.height, reachable_from(self._packing, self.bound + 1))

    def _search_parts(self) -> None:
        """Raise the bound by proofs about fewer buffers, which are over sooner."""
        until = self._until(_SHARE_OF_PARTS)
        reach = 1
        while not self._is_done() and until():
            part = self._around_peak(reach)
            if len(part) == len(self._packing.sizes_bytes):
                return
            effort = Effort(until, min(self.effort.nodes_left, 20_000))
            self._raise_bound(self._packing.restricted(part), effort)
            reach += 1

    def _raise_bound(self, packing: Packing, effort: Effort) -> None:
        aim = reachable_from(packing, self.bound)
        while aim < self.height:
            try:
                found = plan_within(packing, aim, effort)
            except OutOfTime:
                return
            if found is not None:
                return
            aim = reachable_from(packing, aim + 1)
            self.bound = reachable_from(self._packing, min(aim, self.height))

    def _search(self) -> None:
        """Search for a plan at the bound; where that takes too long, for one between."""
        aim = self.bound
        while not self._is_done():
            share = _SHARE_OF_SEARCH if aim > 0 else 1.0
            effort = Effort(self._until(share), self.effort.nodes_left)
            try:
                found = plan_within(self._packing, max(aim, self.bound), effort)
            except OutOfTime:
                if aim == 0:
                    return
                aim = reachable_from(self._packing, (aim + self.height) // 2)
                aim = aim if aim < self.height else 0
            else:
                if found is not None:
                    self._take(found)
                else:
                    aim = reachable_from(self._packing, max(aim, self.bound) + 1)
                    self.bound = min(self.height, aim)
            self.effort.nodes_left = effort.nodes_left

    def _around_peak(self, reach: int) -> list[int]:
        """Return the buffers of the fullest section and of ``reach`` sections on either side."""
        packing = self._packing
        fill = [sum(packing.sizes_bytes[i] for i in section) for section in packing.sections]
        peak = fill.index(max(fill))
        chosen = packing.sections[max(0, peak - reach) : peak + reach + 1]
        return sorted({index for section in chosen for index in section})

    def _until(self, share: float, steps: float = math.inf) -> Callable[[], bool]:
        """Return a question that is answered with yes for a share of the time that is left."""
        end = time.monotonic() + share * max(0.0, self._deadline - time.monotonic())
        left = steps

        def may_go_on() -> bool:
            nonlocal left
            left -= 1
            return left >= 0 and time.monotonic() < end

        return may_go_on

    def _in_time(self) -> bool:
        return time.monotonic() < self._deadline


def _require_plannable(buffers: Sequence[Buffer]) -> None:
    """Check what the plan does not depend on: all buffers apart, prescribed ones where they are."""
    prescribed = [b for b in buffers if b.offline_offset_bytes is not None]
    validate_plan(
        MemoryPlan(tuple(prescribed), tuple(b.offline_offset_bytes or 0 for b in prescribed))
    )
    end = 0
    offsets = []
    for buffer in buffers:
        offsets.append(end)
        end += int(buffer.size_bytes)
    free = [dataclasses.replace(b, offline_offset_bytes=None) for b in buffers]
    validate_plan(MemoryPlan(tuple(free), tuple(offsets)))
