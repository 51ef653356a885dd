"""Walks an offline plan operator by operator and refuses whatever would spoil data still needed.

Knows nothing of lifetimes, nor of how the plan was made: it keeps book of which tensor's bytes lie
where, and crosses out what each operator writes over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcuprune.errors import PlanError
from mcuprune.ir.graph import Graph, Operator
from mcuprune.planner.in_place import in_place_kinds


def require_intact(
    graph: Graph,
    offsets_bytes: Sequence[int],
    scratch: Mapping[int, Sequence[tuple[int, int]]] | None = None,
) -> None:
    """Raise unless every operator finds its inputs as they were written.

    Args:
        graph: A graph whose dimensions are ints, its operators in the order of execution.
        offsets_bytes: Offset of each tensor in the arena, -1 for those that lie elsewhere.
        scratch: Per operator pairs of offset and size of its scratch memory.

    Raises:
        PlanError: ``failure`` is ``"homeless"`` (a tensor that needs a place has none),
            ``"overlap"`` (an operator writes over what it reads, or two things that it uses lie in
            one place) or ``"spoilt"`` (it reads what has been written over).
    """
    arena = _Arena(graph, offsets_bytes)
    for index in graph.inputs:
        arena.write(index, set())
    for operator in graph.operators:
        arena.run(operator, (scratch or {}).get(operator.index, ()))
    for index in graph.outputs:
        arena.read(index, "the caller")


class _Arena:
    def __init__(self, graph: Graph, offsets_bytes: Sequence[int]) -> None:
        self._graph = graph
        self._offsets = offsets_bytes
        self._intact: set[int] = set()

    def run(self, operator: Operator, scratch: Sequence[tuple[int, int]]) -> None:
        name = f"operator {operator.index} ({operator.kind})"
        reads = [i for i in dict.fromkeys(operator.inputs) if i >= 0 and self._has_place(i)]
        writes = [i for i in operator.outputs if self._has_place(i)]
        for index in reads:
            self.read(index, name)
        rooms = [(start, start + size) for start, size in scratch]
        rooms += [self._span(index) for index in writes]
        for place, room in enumerate(rooms):
            if any(_meet(room, other) for other in rooms[:place]):
                raise PlanError(f"{name} uses bytes {room} twice", failure="overlap")
        for start, size in scratch:
            if any(_meet((start, start + size), self._span(index)) for index in reads):
                raise PlanError(f"{name} reads where its scratch memory is", failure="overlap")
            self._cross_out((start, start + size), set())
        for index in writes:
            self.write(index, self._may_stay(operator, index, reads, name))

    def read(self, index: int, who: str) -> None:
        if self._has_place(index) and index not in self._intact:
            raise PlanError(
                f"{who} reads tensor {index}, which has been written over or never written",
                failure="spoilt",
            )

    def write(self, index: int, stays: set[int]) -> None:
        if self._has_place(index):
            self._cross_out(self._span(index), stays)
            self._intact.add(index)

    def _may_stay(
        self, operator: Operator, output: int, reads: Sequence[int], name: str
    ) -> set[int]:
        """Return what still holds its bytes after the output is written in its place."""
        met = [index for index in reads if _meet(self._span(index), self._span(output))]
        for index in met:
            if not self._allows(operator, index, output):
                raise PlanError(
                    f"{name} writes tensor {output} over tensor {index}, which it reads",
                    failure="overlap",
                )
        if operator.kind not in in_place_kinds().copies or not met:
            return set()
        return {index for index in self._intact if self._span(index) == self._span(output)}

    def _allows(self, operator: Operator, read: int, written: int) -> bool:
        one, other = self._graph.tensors[read], self._graph.tensors[written]
        kinds = in_place_kinds()
        if self._span(read) != self._span(written):
            return False
        if operator.kind in kinds.copies:
            return bool(read == operator.inputs[0])
        return operator.kind in kinds.elementwise and one.shape == other.shape

    def _cross_out(self, span: tuple[int, int], stays: set[int]) -> None:
        lost = {i for i in self._intact if _meet(self._span(i), span)}
        self._intact -= lost - stays

    def _has_place(self, index: int) -> bool:
        tensor = self._graph.tensors[index]
        if int(tensor.size_bytes) == 0:
            return False
        if self._offsets[index] >= 0:
            return True
        if tensor.is_constant or tensor.is_variable:
            return False
        raise PlanError(f"tensor {index} ({tensor.name}) has no place", failure="homeless")

    def _span(self, index: int) -> tuple[int, int]:
        start = self._offsets[index]
        return start, start + int(self._graph.tensors[index].size_bytes)


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
