"""Access to the tensors of an operator, for files whose operators lack some of them."""

from __future__ import annotations

from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Operator, Tensor


def operand(
    graph: Graph, operator: Operator, position: int, rank: int = 0, exactly: bool = False
) -> Tensor:
    """Return an input of an operator.

    Args:
        graph: The graph.
        operator: One of its operators.
        position: Which input.
        rank: Least number of dimensions that it must have.
        exactly: Whether it may not have more either.

    Raises:
        InputError: The operator has no such input, or one of other dimensions.
    """
    indices = operator.inputs
    tensor = _checked(graph, operator, indices, position, rank, "input")
    if exactly and len(tensor.shape) > rank:
        raise _other_rank(graph, operator, f"input {position}", tensor, rank)
    return tensor


def result(graph: Graph, operator: Operator, rank: int = 0) -> Tensor:
    """Return the first output of an operator.

    Raises:
        InputError: The operator has no output, or one of fewer dimensions than ``rank``.
    """
    return _checked(graph, operator, operator.outputs, 0, rank, "output")


def _checked(
    graph: Graph, operator: Operator, indices: tuple[int, ...], position: int, rank: int, what: str
) -> Tensor:
    title = _title(graph, operator)
    if position >= len(indices) or indices[position] < 0:
        raise InputError(
            f"{title} has no {what} {position}, which this kind of operator needs: "
            "the file is damaged or comes from an unknown converter; export it again"
        )
    tensor = graph.tensors[indices[position]]
    if len(tensor.shape) < rank:
        raise _other_rank(graph, operator, f"{what} {position}", tensor, rank)
    return tensor


def _other_rank(
    graph: Graph, operator: Operator, what: str, tensor: Tensor, rank: int
) -> InputError:
    return InputError(
        f"{_title(graph, operator)} has a {what} of {len(tensor.shape)} dimensions, {rank} are "
        "needed: the file is damaged or comes from an unknown converter; export it again"
    )


def _title(graph: Graph, operator: Operator) -> str:
    return f"operator {operator.index} ({operator.kind}) of {graph.name}"
