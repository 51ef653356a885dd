"""What checks of shapes have in common: each raises where an operator's tensors do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.codegen.model_file import Node


def require_shape(node: Node, expected: Sequence[int], place: int = 0) -> None:
    """Raise unless an output has the shape that follows from the inputs."""
    found = node.output_shape(place)
    node.require(
        found == tuple(expected),
        f"its output has the shape {found}; {tuple(expected)} follows from its inputs",
    )


def require_axis(node: Node, axis: int, rank: int) -> int:
    """Return an axis counted from the front; raise unless there is one."""
    node.require(-rank <= axis < rank, f"there is no axis {axis} in {rank} dimensions")
    return axis % rank


def require_same_type(node: Node, data: Sequence[int]) -> None:
    """Raise unless inputs and all outputs have elements of the same kind."""
    types = {node.input(place).dtype for place in data}
    types |= {node.output(place).dtype for place in range(len(node.operator.outputs))}
    node.require(len(types) == 1, f"it mixes {' and '.join(sorted(types))}")


def whole_numbers(node: Node, place: int, count: int) -> list[int]:
    """Return the whole numbers of a constant that must have so many."""
    values = node.constant(place)
    node.require(
        values.dtype.kind == "i" and values.size == count,
        f"input {place} holds {values.size} numbers of {values.dtype}; {count} integers are needed",
    )
    return [int(value) for value in values.ravel()]
