"""Gives the tensors of a subgraph, as an object of the FlatBuffer schema, other numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def renumber(subgraph: Any, order: Sequence[int]) -> dict[int, int]:
    """Put the tensors into an order, in place; those that it leaves out are taken out.

    Args:
        subgraph: A ``SubGraphT``; operators and ends may name only tensors of the order.
        order: Numbers that the tensors have, in the order of their new ones.

    Returns:
        The new number of each old one; -1, an input that is left out, stays.
    """
    number = {old: new for new, old in enumerate(order)} | {-1: -1}
    subgraph.tensors = [subgraph.tensors[old] for old in order]
    subgraph.inputs = [number[i] for i in subgraph.inputs]
    subgraph.outputs = [number[i] for i in subgraph.outputs]
    for operator in subgraph.operators:
        operator.inputs = [number[i] for i in operator.inputs]
        operator.outputs = [number[i] for i in operator.outputs]
    return number
