"""Access to the tensors of an operator, for files whose operators lack some of them."""

from __future__ import annotations

from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Operator, Tensor


def operand(graph: Graph, operator: Operator, position: int, rank: int = 0) -> Tensor:
    """Return an input of an operator.

    Args:
        graph: The graph.
        operator: One of its operators.
        position: Which input.
        rank: Least number of dimensions that it must have.

    Raises:
        InputError: The operator has no such input, or one of fewer dimensions.
    """
    indices = operator.inputs
    return _checked(graph, operator, indices, position, rank, "input")


def result(graph: Graph, operator: Operator, rank: int = 0) -> Tensor:
    """Return the first output of an operator.

    Raises:
        InputError: The operator has no output, or one of fewer dimensions than ``rank``.
    """
    return _checked(graph, operator, operator.outputs, 0, rank, "output")


def _checked(
    graph: Graph, operator: Operator, indices: tuple[int, ...], position: int, rank: int, what: str
) -> Tensor:
    title = f"operator {operator.index} ({operator.kind}) of {graph.name}"
    if position >= len(indices) or indices[position] < 0:
        raise InputError(
            f"{title} has no {what} {position}, which this kind of operator needs: "
            "the file is damaged or comes from an unknown converter; export it again"
        )
    tensor = graph.tensors[indices[position]]
    if len(tensor.shape) < rank:
        raise InputError(
            f"{title} has a {what} {position} of {len(tensor.shape)} dimensions, {rank} are "
            "needed: the file is damaged or comes from an unknown converter; export it again"
        )
    return tensor
