"""A program while it is rewritten: operators linked to their neighbours, changed in place.

A rewrite returns an :class:`Edit`; :func:`settle` applies edits and looks again only where they
changed something, so that reading a network of a thousand operators takes no thousand scans.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence

from mcuprune.ir.draft import Draft, Operand, Program, Value

# Where an operator stands. One that takes the place of several, or several that take the place of
# one, get places between those around: tuples compare like words in a dictionary.
_Place = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Edit:
    """A change of a program.

    Attributes:
        replacements: New operators in the place of each old one.
        merged: Value to read instead, per value that is no longer made.
    """

    replacements: Mapping[Draft, Sequence[Draft]]
    merged: Mapping[Value, Value] = dataclasses.field(default_factory=dict)


class LinkedProgram:
    """Operators with their producers and consumers at hand."""

    def __init__(self, program: Program) -> None:
        self.inputs = program.inputs
        self.outputs = program.outputs
        self._at: dict[_Place, Draft] = {}
        self._place: dict[Draft, _Place] = {}
        self._producers: dict[Value, Draft] = {}
        self._consumers: dict[Value, dict[Draft, None]] = {}
        for number, op in enumerate(program.operators):
            self._insert(op, (number,))

    def program(self) -> Program:
        """Return the operators in execution order."""
        return Program(tuple(self._at[p] for p in sorted(self._at)), self.inputs, self.outputs)

    def places(self) -> list[_Place]:
        """Return the places of all operators."""
        return list(self._at)

    def at(self, place: _Place) -> Draft | None:
        """Return the operator at a place; None if there is none any more."""
        return self._at.get(place)

    def first(self) -> Draft:
        """Return the operator that runs first."""
        return self._at[min(self._at)]

    def producer(self, value: Operand) -> Draft | None:
        """Return the operator that makes ``value``; None for inputs and constants."""
        return self._producers.get(value) if isinstance(value, Value) else None

    def consumers(self, value: Value) -> list[Draft]:
        """Return the operators that read ``value``, in execution order."""
        return sorted(self._consumers.get(value, ()), key=self._place.__getitem__)

    def private_producer(self, value: Operand) -> Draft | None:
        """Return the producer of a value that one operator reads and the caller never sees."""
        if not isinstance(value, Value) or value in self.outputs:
            return None
        return self.producer(value) if len(self._consumers.get(value, ())) == 1 else None

    def apply(self, edit: Edit) -> set[_Place]:
        """Change the program.

        Returns:
            Places of the operators that share a value with one that changed.
        """
        touched: set[Value] = {*edit.merged, *edit.merged.values()}
        for old, news in edit.replacements.items():
            place = self._remove(old)
            touched |= _values([old, *news])
            for number, new in enumerate(news):
                self._insert(new, place if len(news) == 1 else (*place, number))
        for gone, instead in edit.merged.items():
            for reader in self.consumers(gone):
                touched |= _values([reader])
                self._insert(reader.reading(gone, instead), self._remove(reader))
        self.outputs = tuple(edit.merged.get(value, value) for value in self.outputs)
        return {self._place[op] for value in touched for op in self._around(value)}

    def _around(self, value: Value) -> Iterable[Draft]:
        producer = self._producers.get(value)
        return [*self._consumers.get(value, ()), *([] if producer is None else [producer])]

    def _insert(self, op: Draft, place: _Place) -> None:
        self._at[place] = op
        self._place[op] = place
        for value in op.outputs:
            self._producers[value] = op
        for value in op.value_inputs():
            self._consumers.setdefault(value, {})[op] = None

    def _remove(self, op: Draft) -> _Place:
        place = self._place.pop(op)
        del self._at[place]
        for value in op.outputs:
            if self._producers.get(value) is op:
                del self._producers[value]
        for value in op.value_inputs():
            self._consumers[value].pop(op, None)
        return place


Rewrite = Callable[[Draft, LinkedProgram], Edit | None]


def merge_pair(combined: Draft, first: Draft, second: Draft) -> Edit:
    """Put ``combined``, which does the work of both, where ``second`` is; drop ``first``."""
    sources = first.sources + second.sources
    combined = dataclasses.replace(combined, outputs=second.outputs, sources=sources)
    return Edit({first: (), second: (combined,)})


def settle(program: LinkedProgram, rewrites: Sequence[Rewrite]) -> None:
    """Apply rewrites until none applies.

    Next is always the rewrite that stands first in ``rewrites``, on the operator that runs first.
    A rewrite may look at operators that share a value with its own, not further.
    """
    numbers = range(len(rewrites))
    agenda = [(number, place) for number in numbers for place in program.places()]
    heapq.heapify(agenda)
    waiting = set(agenda)
    while agenda:
        number, place = entry = heapq.heappop(agenda)
        waiting.discard(entry)
        op = program.at(place)
        edit = None if op is None else rewrites[number](op, program)
        if edit is None:
            continue
        for changed in program.apply(edit):
            for again in numbers:
                if (again, changed) not in waiting:
                    waiting.add((again, changed))
                    heapq.heappush(agenda, (again, changed))


def _values(operators: Iterable[Draft]) -> set[Value]:
    return {value for op in operators for value in (*op.value_inputs(), *op.outputs)}
