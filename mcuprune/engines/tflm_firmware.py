"""TensorFlow Lite Micro as the runtime of a firmware, from a user's checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcuprune.codegen.c_text import c_array
from mcuprune.cost.firmware import runtime_of_core
from mcuprune.cost.runtime import REFERENCE
from mcuprune.cost.smallest import smallest_arena
from mcuprune.engines.cross_compiler import CrossCompiler
from mcuprune.engines.firmware_build import RuntimeParts
from mcuprune.engines.op_resolver import resolver_method
from mcuprune.engines.tflm_library import (
    CXX_OPTIONS,
    DEFINITIONS,
    Checkout,
    build_library,
    find_checkout,
)
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph

_POINTER_BITS = 32
_GLUE = Path(__file__).parent / "firmware" / "runtime_tflm.cc.in"


def tflm_runtime(model: bytes, root: Path, core: str, compiler: CrossCompiler) -> RuntimeParts:
    """Return TFLM with a model, its operators and an arena of the predicted size.

    Args:
        model: Contents of a ``.tflite`` file.
        root: A checkout of TFLM, with what its makefile downloads.
        core: The core that will run it.
        compiler: arm-none-eabi-gcc with its C++ library.

    Raises:
        InputError: No sound TFLite model, or no complete checkout.
        ConversionError: An operator is no TFLite builtin.
        EngineError: The compiler is another, or refuses a file.
    """
    graph = parse_tflite(model, "the model")
    checkout = find_checkout(root)
    kinds = {operator.kind for operator in graph.operators}
    library = build_library(checkout, kinds, core, compiler)
    kernels = "reference kernels" if checkout.cmsis_nn is None else "CMSIS-NN"
    return RuntimeParts(
        "tflm",
        f"TensorFlow Lite Micro ({kernels})",
        {"glue.cc": _glue(graph, arena_bytes(graph, core, checkout)), "model_data.c": _data(model)},
        options=(*DEFINITIONS, *checkout.options),
        cxx_options=CXX_OPTIONS,
        libraries=(str(library), "-lm"),
        is_cxx=True,
    )


def arena_bytes(graph: Graph, core: str, checkout: Checkout) -> int:
    """Return the smallest arena in which TFLM is predicted to allocate a model.

    Args:
        graph: The model.
        core: The core that will run it.
        checkout: Whether it has CMSIS-NN decides what kernels ask for.
    """
    runtime = REFERENCE if checkout.cmsis_nn is None else runtime_of_core(core)
    return smallest_arena(graph, runtime, _POINTER_BITS)


def _glue(graph: Graph, size_bytes: int) -> str:
    methods = sorted({resolver_method(operator.kind) for operator in graph.operators})
    calls = "".join(f"  failures += resolver.{method}() != kTfLiteOk;\n" for method in methods)
    text = _GLUE.read_text(encoding="ascii")
    for place, value in {
        "@ARENA_BYTES@": str(size_bytes),
        "@OPERATORS@": str(len(methods)),
        "@REGISTRATIONS@": calls,
    }.items():
        text = text.replace(place, value)
    return text


def _data(model: bytes) -> str:
    declaration = "__attribute__((aligned(16))) const unsigned char model_data[]"
    return c_array(declaration, np.frombuffer(model, np.uint8))
