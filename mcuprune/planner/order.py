"""Orders of the operators whose largest working set is as small as possible.

What is in memory between two operators depends only on which operators have run, not on their order
among themselves. The best way to each such set is therefore worth remembering once, and the best of
all orders is the path from nothing to everything whose worst moment is the least bad. Networks
whose branches allow too many sets are searched along the most promising ones only.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterator, Mapping, Sequence

from mcuprune.ir.graph import Graph, Operator
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS
from mcuprune.planner.in_place import copied_places, overwritable, room_buffers
from mcuprune.planner.lifetimes import ScratchRequest

STATE_LIMIT = 20_000
# Operators that run other subgraphs, and those whose effect is not in their outputs.
_CONTROL_FLOW = frozenset({"IF", "WHILE", "CALL", "CALL_ONCE"})
_STATEFUL = frozenset(
    """
    VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT
    HASHTABLE_SIZE RANDOM_STANDARD_NORMAL RANDOM_UNIFORM MULTINOMIAL
    """.split()  # noqa: SIM905 (names read better than quoted names)
)


@dataclasses.dataclass(frozen=True)
class Ordering:
    """An order of execution.

    Attributes:
        operators: Indices of the operators, in the order in which they run.
        peak_bytes: The largest working set.
        lower_bound_bytes: No order has a smaller one.
    """

    operators: tuple[int, ...]
    peak_bytes: int
    lower_bound_bytes: int


def best_order(
    graph: Graph,
    scratch: Sequence[ScratchRequest] = (),
    *,
    in_place: bool = True,
    state_limit: int = STATE_LIMIT,
) -> Ordering:
    """Return an order with the smallest largest working set that was found.

    The order of the graph is returned if none is better. Operators with state keep their order
    among themselves; a graph with control flow or custom operators keeps it altogether.

    Args:
        graph: A graph whose dimensions are ints.
        scratch: What the kernels ask for.
        in_place: Whether tensors may share a place (:mod:`mcuprune.planner.in_place`).
        state_limit: Sets of operators looked at before the search is narrowed to the most
            promising ones, and then once more.
    """
    memory = _Memory(graph, scratch, in_place)
    given = tuple(range(len(graph.operators)))
    peak = memory.peak(given)
    if not is_movable(graph):
        return Ordering(given, peak, peak)
    floor = memory.floor()
    if peak == floor:
        return Ordering(given, peak, floor)
    found = _exact(memory, peak, state_limit)
    is_exact = found is not None
    order = found or _beam(memory, max(8, state_limit // len(graph.operators)))
    reached = memory.peak(order)
    bound = min(reached, peak) if is_exact else floor
    return Ordering(order, reached, bound) if reached < peak else Ordering(given, peak, bound)


def is_movable(graph: Graph) -> bool:
    """Return whether the operators of a graph may run in another order."""
    written = [index for operator in graph.operators for index in operator.outputs]
    return len(written) == len(set(written)) and all(
        op.kind in BUILTIN_OPERATORS and op.kind not in _CONTROL_FLOW for op in graph.operators
    )


def is_only_order(graph: Graph) -> bool:
    """Return whether no other order of the operators is possible, or allowed."""
    if not is_movable(graph):
        return True
    needs = _dependencies(graph)
    return all(needs[i] >> (i - 1) & 1 for i in range(1, len(needs)))


def reordered(graph: Graph, operators: Sequence[int]) -> Graph:
    """Return the graph with its operators in another order, numbered anew."""
    moved = tuple(
        dataclasses.replace(graph.operators[old], index=new) for new, old in enumerate(operators)
    )
    return dataclasses.replace(graph, operators=moved)


def reordered_scratch(
    scratch: Sequence[ScratchRequest], operators: Sequence[int]
) -> tuple[ScratchRequest, ...]:
    """Return what the kernels ask for when the operators run in another order."""
    place = {old: new for new, old in enumerate(operators)}
    moved = [dataclasses.replace(r, operator=place[r.operator]) for r in scratch]
    return tuple(sorted(moved, key=lambda request: request.operator))


class _Memory:
    """What is in memory before, while and after an operator runs; sets of operators are bits."""

    def __init__(self, graph: Graph, scratch: Sequence[ScratchRequest], in_place: bool) -> None:
        place = copied_places(graph) if in_place else {}
        buffers = room_buffers(graph, scratch, place)
        self.count = len(graph.operators)
        self.everything = (1 << self.count) - 1
        self._sizes = {b.tensor: int(b.size_bytes) for b in buffers if b.tensor is not None}
        self._scratch = {b.first_step - 1: int(b.size_bytes) for b in buffers if b.tensor is None}
        rooms = _Rooms(graph, place, self._sizes)
        self._readers, self._kept = rooms.readers, rooms.kept
        self._reads, self._makes = rooms.reads, rooms.makes
        self._over = [
            [place.get(i, i) for i in overwritable(graph, op, place)] if in_place else []
            for op in graph.operators
        ]
        self.needs = _dependencies(graph)
        self.first = tuple(i for i, needed in enumerate(self.needs) if not needed)
        self._followers = [
            [i for i, needed in enumerate(self.needs) if needed >> operator & 1]
            for operator in range(self.count)
        ]
        self.at_start = sum(self._sizes[room] for room in rooms.inputs)
        self.start = sum(self._sizes[r] for r in rooms.inputs if self._lives(r, 0))

    def ready(self, before: Sequence[int], operator: int, done: int) -> tuple[int, ...]:
        """Return the operators that can run next.

        Args:
            before: Those that could before.
            operator: What has run since.
            done: All that have run.
        """
        freed = (i for i in self._followers[operator] if self.needs[i] & done == self.needs[i])
        return tuple(sorted({*before, *freed} - {operator}))

    def run(self, operator: int, done: int, held: int) -> tuple[int, int]:
        """Return the bytes in memory while an operator runs, and after it.

        Args:
            operator: The operator.
            done: The operators that have run.
            held: Bytes in memory.
        """
        after = done | 1 << operator
        made = sum(self._sizes[room] for room in self._makes[operator])
        freed = sum(
            self._sizes[room] for room in self._reads[operator] if not self._lives(room, after)
        )
        unread = sum(
            self._sizes[room] for room in self._makes[operator] if not self._lives(room, after)
        )
        saved = max(
            (self._sizes[r] for r in self._over[operator] if made and not self._lives(r, after)),
            default=0,
        )
        during = held + made + self._scratch.get(operator, 0) - saved
        return during, held + made - freed - unread

    def peak(self, operators: Sequence[int]) -> int:
        """Return the largest working set of an order."""
        peak, held, done = self.at_start, self.start, 0
        for operator in operators:
            during, held = self.run(operator, done, held)
            peak, done = max(peak, during), done | 1 << operator
        return peak

    def floor(self) -> int:
        """Return what every order needs: the most that one operator by itself touches."""
        alone = [
            sum(self._sizes[r] for r in {*self._reads[i], *self._makes[i]})
            + self._scratch.get(i, 0)
            - max((self._sizes[r] for r in self._over[i] if self._makes[i]), default=0)
            for i in range(self.count)
        ]
        return max([self.at_start, *alone])

    def _lives(self, room: int, done: int) -> bool:
        return room in self._kept or bool(self._readers[room] & ~done)


class _Rooms:
    """Who makes and reads which place in memory."""

    def __init__(self, graph: Graph, place: Mapping[int, int], sizes: Mapping[int, int]) -> None:
        def rooms(tensors: Sequence[int]) -> list[int]:
            found = (place.get(i, i) for i in tensors if i >= 0)
            return [room for room in dict.fromkeys(found) if room in sizes]

        self.inputs = rooms(graph.inputs)
        self.kept = frozenset(rooms(graph.outputs))
        self.reads = [rooms(operator.inputs) for operator in graph.operators]
        self.makes = [
            [room for room in rooms(op.outputs) if room not in reads]
            for op, reads in zip(graph.operators, self.reads, strict=True)
        ]
        self.readers = dict.fromkeys(sizes, 0)
        for index, reads in enumerate(self.reads):
            for room in reads:
                self.readers[room] |= 1 << index


def _dependencies(graph: Graph) -> list[int]:
    """Return per operator the set of those that must run before it."""
    maker = {tensor: op.index for op in graph.operators for tensor in op.outputs}
    needs = [0] * len(graph.operators)
    previous = None
    for operator in graph.operators:
        for tensor in operator.inputs:
            if maker.get(tensor, operator.index) != operator.index:
                needs[operator.index] |= 1 << maker[tensor]
        if _has_state(graph, operator):
            needs[operator.index] |= 0 if previous is None else 1 << previous
            previous = operator.index
    return needs


def _has_state(graph: Graph, operator: Operator) -> bool:
    touched = [i for i in (*operator.inputs, *operator.outputs) if i >= 0]
    return operator.kind in _STATEFUL or any(graph.tensors[i].is_variable for i in touched)


@dataclasses.dataclass(frozen=True)
class _Reached:
    """How a set of operators was reached, and which can run next."""

    peak: int
    held: int
    ready: tuple[int, ...]
    before: int = 0
    operator: int = -1


def _exact(memory: _Memory, limit_bytes: int, state_limit: int) -> tuple[int, ...] | None:
    """Return an order with the smallest possible peak; None where that needs too many states.

    The peak cannot be above ``limit_bytes``. Of two sets with the same worst moment so far the
    larger is followed first.
    """
    reached = {0: _Reached(memory.at_start, memory.start, memory.first)}
    waiting = [(memory.at_start, 0, 0)]
    closed: set[int] = set()
    while waiting:
        peak, _, done = heapq.heappop(waiting)
        if done in closed:
            continue
        closed.add(done)
        if done == memory.everything:
            return _path(reached, done)
        if len(reached) > state_limit:
            return None
        for operator, during, held in _moves(memory, done, reached[done]):
            after, worst = done | 1 << operator, max(peak, during)
            if worst <= limit_bytes and (after not in reached or worst < reached[after].peak):
                ready = memory.ready(reached[done].ready, operator, after)
                reached[after] = _Reached(worst, held, ready, done, operator)
                heapq.heappush(waiting, (worst, -after.bit_count(), after))
    return None


def _moves(memory: _Memory, done: int, here: _Reached) -> Iterator[tuple[int, int, int]]:
    """Yield operators that can run next, with the bytes during and after.

    One that raises neither the worst moment so far nor what is held may as well run now: whatever
    comes in between would find no more memory free if it waited. It is then the only one yielded.
    """
    found = []
    for operator in here.ready:
        during, held = memory.run(operator, done, here.held)
        if during <= here.peak and held <= here.held:
            yield operator, during, held
            return
        found.append((operator, during, held))
    yield from found


def _beam(memory: _Memory, width: int) -> tuple[int, ...]:
    """Return the best order met when, of all sets of equal size, only ``width`` are followed."""
    level = {0: _Reached(memory.at_start, memory.start, memory.first)}
    reached = dict(level)
    for _ in range(memory.count):
        following: dict[int, _Reached] = {}
        for done, here in level.items():
            for operator, during, held in _moves(memory, done, here):
                after, worst = done | 1 << operator, max(here.peak, during)
                if after not in following or worst < following[after].peak:
                    ready = memory.ready(here.ready, operator, after)
                    following[after] = _Reached(worst, held, ready, done, operator)
        best = sorted(following.items(), key=lambda item: (item[1].peak, item[1].held, item[0]))
        level = dict(best[:width])
        reached |= level
    return _path(reached, memory.everything)


def _path(reached: Mapping[int, _Reached], done: int) -> tuple[int, ...]:
    operators = []
    while done:
        operators.append(reached[done].operator)
        done = reached[done].before
    return tuple(reversed(operators))
