"""Whether a converted model is full int8."""

from __future__ import annotations

from mcuprune.ir.graph import Graph, Operator

_WHOLE = ("bool", "int32", "int64")
# TFLM compares int8 (comparisons.cc) and selects by what comes out (select.cc).
_COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")


def not_int8(graph: Graph) -> list[str]:
    """Describe what of a converted model is not int8.

    Integer inputs (of an embedding), what is computed from them before it becomes real, and results
    of comparisons may be of other types. Results of SHAPE, and what computes on shapes, may not.

    Args:
        graph: The model as read from its file.
    """
    whole = _whole_numbers(graph)
    operators = [
        _describe(op, graph)
        for op in graph.operators
        if any(graph.tensors[i].dtype != "int8" and i not in whole for i in op.outputs)
    ]
    ends = [graph.tensors[i] for i in (*graph.inputs, *graph.outputs) if i not in whole]
    return operators + [f"{t.name} is {t.dtype}" for t in ends if t.dtype != "int8"]


def _whole_numbers(graph: Graph) -> set[int]:
    found = {i for i in graph.inputs if graph.tensors[i].dtype in _WHOLE}
    for operator in graph.operators:
        if operator.kind in _COMPARISONS or found & set(operator.inputs):
            found |= {i for i in operator.outputs if graph.tensors[i].dtype in _WHOLE}
    return found


def _describe(operator: Operator, graph: Graph) -> str:
    types = {tensor.dtype for tensor in graph.output_tensors(operator)}
    return f"operator {operator.index} {operator.kind} ({'/'.join(sorted(types))})"
