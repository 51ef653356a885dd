"""Graphs in a form that does not depend on how their tensors are numbered."""

from __future__ import annotations

import pytest


def described(graph):
    """Return every operator with its tensors, but not how these are numbered."""

    def tensor(index):
        if index < 0:
            return None
        found = graph.tensors[index]
        return (
            tuple(found.shape),
            found.dtype,
            found.bits,
            found.is_constant,
            found.quantization_scales,
            found.size_bytes,
        )

    return [
        (
            op.kind,
            tuple(tensor(i) for i in op.inputs),
            tuple(tensor(i) for i in op.outputs),
            {key: pytest.approx(value) for key, value in sorted(op.attributes.items())}
            if op.kind == "LEAKY_RELU"
            else dict(op.attributes),
        )
        for op in graph.operators
    ]


def wiring(graph):
    """Return which earlier results each operator reads, and which results the model returns."""
    numbers = {index: number for number, index in enumerate(graph.inputs)}
    for op in graph.operators:
        numbers.update({index: len(numbers) + i for i, index in enumerate(op.outputs)})
    reads = [[numbers[i] for i in op.inputs if i in numbers] for op in graph.operators]
    return reads, [numbers[i] for i in graph.outputs]
