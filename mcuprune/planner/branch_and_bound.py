"""Exact search for a plan below a given height.

Buffers are placed in the order of their offsets, each as low as those beneath it allow. Every plan
can be pushed down into one that this search meets, so that finding none is a proof that there is
none. After M. Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine
Learning" (ASPLOS 2023), from which come the canonical order, the rule that a buffer may not leave a
gap below it that another fits, the bound per section and the splitting into independent parts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from mcuprune.planner.packing import Packing

# Steps of each rule's first turn, and how much longer every next one is.
_FIRST_TURN = 500
_LONGER_EACH_TIME = 4


class OutOfTime(Exception):  # noqa: N818 (no error: the search tells that it has not ended)
    """The search was stopped before its end."""


@dataclasses.dataclass
class Effort:
    """Counts the steps of searches and stops them.

    Attributes:
        may_go_on: Asked every hundred steps.
        nodes_left: Steps that may still be made.
    """

    may_go_on: Callable[[], bool]
    nodes_left: int

    def spend(self) -> None:
        """Count one step.

        Raises:
            OutOfTime: No steps are left, or no time.
        """
        self.nodes_left -= 1
        if self.nodes_left < 0 or (self.nodes_left % 100 == 0 and not self.may_go_on()):
            raise OutOfTime


def plan_within(packing: Packing, capacity_bytes: int, effort: Effort) -> list[int] | None:
    """Return offsets of a plan no higher than ``capacity_bytes``, None if there is none.

    Which buffer is tried first where several could be decides how soon the search ends, and no rule
    is best for all problems: several take turns, each for longer than the time before.

    Args:
        packing: The problem.
        capacity_bytes: The height allowed.
        effort: What may be spent.

    Raises:
        OutOfTime: The search was stopped before its end: neither was found.
    """
    rankings = _rankings(packing)
    turn = _FIRST_TURN
    while True:
        for ranks in rankings:
            part = Effort(effort.may_go_on, min(turn, effort.nodes_left))
            before = part.nodes_left
            try:
                return _Search(packing, capacity_bytes, ranks, part).run()
            except OutOfTime:
                if not effort.may_go_on() or effort.nodes_left < turn:
                    raise
            finally:
                effort.nodes_left -= before - max(part.nodes_left, 0)
        turn *= _LONGER_EACH_TIME


@dataclasses.dataclass(frozen=True)
class _Part:
    """Buffers still to be placed that no others reach into.

    Attributes:
        free: The buffers.
        last: Offset and rank of the buffer placed before; all of these come after it.
        parent: Position in the trail of the decision that left them over, -1 for none.
    """

    free: Sequence[int]
    last: tuple[int, int]
    parent: int


_Agenda: TypeAlias = "tuple[_Part, _Agenda | None]"


@dataclasses.dataclass
class _Decision:
    """Which buffer of a part was placed first, and what to restore to place another."""

    part: _Part
    choices: Iterator[int]
    agenda: _Agenda | None
    placed: int = -1
    before: Sequence[tuple[int, int, bool]] = ()


class _Search:
    def __init__(
        self, packing: Packing, capacity_bytes: int, ranks: Sequence[int], effort: Effort
    ) -> None:
        self._sizes = packing.sizes_bytes
        self._met = packing.neighbours
        self._met_set = [frozenset(met) for met in packing.neighbours]
        self._sections = packing.sections
        self._capacity = capacity_bytes
        self._effort = effort
        self._offsets = [-1] * len(self._sizes)
        # Lowest offset that the buffers placed so far leave to each, and whether nothing placed so
        # far would carry it there: then it has to wait for a buffer to stand on.
        self._lowest = [0] * len(self._sizes)
        self._hovers = [False] * len(self._sizes)
        self._of = _sections_of(packing)
        self._rank = ranks
        self._obstacles = self._place_prescribed(packing)

    def run(self) -> list[int] | None:
        """Return offsets, or None."""
        free = [i for i, offset in enumerate(self._offsets) if offset < 0]
        if any(self._bottom(i) + self._sizes[i] > self._capacity for i in free):
            return None
        if any(o + s > self._capacity for o, s in zip(self._offsets, self._sizes, strict=True)):
            return None
        for index in free:
            self._lowest[index] = self._bottom(index)
        agenda: _Agenda | None = None
        for part in self._parts(free):
            agenda = (_Part(part, (-1, -1), -1), agenda)
        return self._offsets if self._descend(agenda) else None

    def _place_prescribed(self, packing: Packing) -> list[list[tuple[int, int]]]:
        """Return per buffer the pieces that neighbours with a prescribed offset hold."""
        for index, offset in enumerate(packing.prescribed):
            if offset is not None:
                self._offsets[index] = offset
        return [
            sorted(
                (self._offsets[j], self._offsets[j] + self._sizes[j])
                for j in met
                if self._offsets[j] >= 0
            )
            for met in self._met
        ]

    def _descend(self, agenda: _Agenda | None) -> bool:
        """Place what is on the agenda, part by part, trying choice after choice."""
        trail: list[_Decision] = []
        while agenda is not None:
            part, agenda = agenda
            choices = self._choices(part)
            trail.append(_Decision(part, choices, agenda))
            while not self._advance(trail[-1]):
                # No other part can mend this one: return to the decision that left it over.
                if part.parent < 0:
                    return False
                while len(trail) > part.parent + 1:
                    self._undo(trail.pop())
                self._undo(trail[-1])
                part = trail[-1].part
            agenda = self._with_parts(trail[-1], len(trail) - 1)
        return True

    def _with_parts(self, decision: _Decision, depth: int) -> _Agenda | None:
        """Return what is left to do after a decision; parts that no buffer joins are apart."""
        index = decision.placed
        last = (self._offsets[index], self._rank[index])
        rest = [i for i in decision.part.free if i != index]
        agenda = decision.agenda
        for part in self._parts(rest):
            agenda = (_Part(part, last, depth), agenda)
        return agenda

    def _advance(self, decision: _Decision) -> bool:
        """Take the next choice that fits; False if none is left."""
        for index in decision.choices:
            offset = self._lowest[index]
            decision.placed = index
            decision.before = [
                (i, self._lowest[i], self._hovers[i]) for i in decision.part.free if i != index
            ]
            self._offsets[index] = offset
            if self._raise(index, offset, decision.part.free):
                return True
            self._undo(decision)
        return False

    def _undo(self, decision: _Decision) -> None:
        if decision.placed < 0:
            return
        for i, low, hovered in decision.before:
            self._lowest[i], self._hovers[i] = low, hovered
            self._offsets[i] = -1
        self._offsets[decision.placed] = decision.placed = -1

    def _choices(self, part: _Part) -> Iterator[int]:
        """Return what may be placed next, in the order of trying."""
        self._effort.spend()
        if not (self._settle(part.free) and self._has_room(part.free)):
            return iter(())
        sizes, lowest, hovers, rank = self._sizes, self._lowest, self._hovers, self._rank
        # What lies above this line would leave a gap that some buffer fits.
        line = min((lowest[i] + sizes[i] for i in part.free if not hovers[i]), default=0)
        found = [
            i
            for i in part.free
            if not hovers[i] and lowest[i] < line and (lowest[i], rank[i]) > part.last
        ]
        return iter(sorted(found, key=lambda i: (lowest[i], rank[i])))

    def _settle(self, free: Sequence[int]) -> bool:
        """Lift what hovers to where it could stand at the lowest; False if it does not fit."""
        sizes, lowest, hovers = self._sizes, self._lowest, self._hovers
        waiting = [i for i in free if hovers[i]]
        if not waiting:
            return True
        missing = set(free)
        for i in waiting:
            carriers = [lowest[j] + sizes[j] for j in self._met[i] if j in missing]
            lowest[i] = max(lowest[i], min(carriers, default=self._capacity))
            if lowest[i] + sizes[i] > self._capacity:
                return False
        return True

    def _raise(self, index: int, offset: int, rest: Sequence[int]) -> bool:
        """Lift what may no longer lie below the buffer just placed; False if it does not fit."""
        lowest, hovers = self._lowest, self._hovers
        top, met = offset + self._sizes[index], self._met_set[index]
        for i in rest:
            if i == index:
                continue
            least = top if i in met else offset
            if lowest[i] < least:
                lowest[i] = self._clear(i, least)
                hovers[i] = i not in met and lowest[i] == offset
                if lowest[i] + self._sizes[i] > self._capacity:
                    return False
            elif lowest[i] == top and i in met:
                hovers[i] = False
        return True

    def _has_room(self, free: Sequence[int]) -> bool:
        """Tell whether each section can hold what is still missing in it."""
        lowest, sizes, capacity = self._lowest, self._sizes, self._capacity
        base: dict[int, int] = {}
        need: dict[int, int] = {}
        for i in free:
            low, size = lowest[i], sizes[i]
            for section in self._of[i]:
                if section in base:
                    need[section] += size
                    if low < base[section]:
                        base[section] = low
                else:
                    base[section], need[section] = low, size
        return all(base[section] + need[section] <= capacity for section in base)

    def _parts(self, free: Sequence[int]) -> list[list[int]]:
        """Split where time has a moment that no buffer spans; the fullest comes last."""
        parts: list[list[int]] = []
        end = -1
        for i in sorted(free, key=lambda i: self._of[i][0]):
            first, last = self._of[i][0], self._of[i][-1]
            if first > end:
                parts.append([])
            parts[-1].append(i)
            end = max(end, last)
        parts.sort(key=lambda part: sum(self._sizes[i] for i in part))
        return parts

    def _bottom(self, index: int) -> int:
        return self._clear(index, 0)

    def _clear(self, index: int, least: int) -> int:
        """Return the lowest offset from ``least`` on that no prescribed neighbour is in."""
        for start, end in self._obstacles[index]:
            if start - least >= self._sizes[index]:
                break
            least = max(least, end)
        return least


def _sections_of(packing: Packing) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in packing.sizes_bytes]
    for number, section in enumerate(packing.sections):
        for index in section:
            found[index].append(number)
    return found


def _rankings(packing: Packing) -> list[list[int]]:
    """Return turns of the buffers by several rules for which is to be tried first."""
    sizes = packing.sizes_bytes
    length = [len(sections) for sections in _sections_of(packing)]
    crowd = [0] * len(sizes)
    for section in packing.sections:
        filled = sum(sizes[i] for i in section)
        for index in section:
            crowd[index] = max(crowd[index], filled)
    rules: list[Callable[[int], tuple[int, ...]]] = [
        lambda i: (-crowd[i], -length[i], -sizes[i]),
        lambda i: (-sizes[i] * length[i], -sizes[i]),
        lambda i: (-length[i], -sizes[i]),
        lambda i: (-sizes[i], -length[i]),
    ]
    return [_turns(sorted(range(len(sizes)), key=lambda i: (rule(i), i))) for rule in rules]


def _turns(order: Sequence[int]) -> list[int]:
    turns = [0] * len(order)
    for turn, index in enumerate(order):
        turns[index] = turn
    return turns
