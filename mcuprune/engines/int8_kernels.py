"""Operators that TensorFlow Lite Micro cannot run in a full-int8 model, by their layers."""

from __future__ import annotations

from mcuprune.ir.graph import Graph

# Not among TFLM's operators (micro_mutable_op_resolver.h), or with a kernel for float32 alone
# (exp.cc, log.cc, elementwise.cc). DEQUANTIZE stands before what the converter leaves in float32.
_LACKING = frozenset({"GELU", "SELECT", "EXP", "LOG", "SQRT", "SQUARE", "DEQUANTIZE"})


def without_int8_kernel(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return the kinds of operators that TFLM lacks in int8, by the layer that they are of.

    Args:
        graph: The int8 form of a model, read from Keras.
    """
    found: dict[str, list[str]] = {}
    for operator in graph.operators:
        if operator.kind in _LACKING:
            for layer in operator.sources:
                kinds = found.setdefault(layer, [])
                if operator.kind not in kinds:
                    kinds.append(operator.kind)
    return {layer: tuple(kinds) for layer, kinds in found.items()}


def layers_without_int8_kernel(graph: Graph) -> str:
    """Return the same as a text, empty if TFLM has all: ``'act' (GELU), 'norm' (SQUARE)``."""
    found = without_int8_kernel(graph)
    return ", ".join(f"{layer!r} ({', '.join(kinds)})" for layer, kinds in found.items())
