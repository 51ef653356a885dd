"""LiteRT (TensorFlow Lite) with its reference kernels, the host's counterpart of TFLM's.

The default kernels (XNNPACK) differ from the reference by up to 2 steps, so they are not used. A
model with an operator that the reference lacks runs with the optimized kernels without XNNPACK.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from mcuprune.engines.base import Array, EngineRun, matching_inputs
from mcuprune.errors import EngineError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph
from mcuprune.native_output import caught_stderr

# Distribution and its module with the Interpreter, by preference.
RUNTIMES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
# Missing in BuiltinRefOpResolver (tensorflow/lite/kernels/register_ref.cc, TensorFlow 2.21), of
# what TFLM has in int8.
_WITHOUT_REFERENCE = frozenset({"ELU"})


@dataclasses.dataclass(frozen=True)
class LiteRT:
    """Runs models with LiteRT's reference kernels.

    Args:
        runtime: Distribution to use, ``"ai-edge-litert"`` or ``"tflite-runtime"``; None takes the
            first that is installed.
    """

    runtime: str | None = None

    @property
    def name(self) -> str:
        """Name of the engine."""
        return "litert"

    def run(self, model: bytes, inputs: Array | Sequence[Array]) -> EngineRun:
        """Execute the model on each input.

        See :class:`mcuprune.engines.base.Engine` for arguments and errors. ``arena`` is None.
        """
        graph = parse_tflite(model, "the model")
        arrays = matching_inputs(graph, inputs)
        _refuse_fatal(graph)
        distribution, module = _load(self.runtime)
        interpreter = _interpreter(module, model, graph)
        is_stateful = any(tensor.is_variable for tensor in graph.tensors)
        samples = zip(*arrays, strict=True)
        answers = [_invoke(interpreter, sample, is_stateful) for sample in samples]
        return EngineRun(
            all_outputs=tuple(map(np.concatenate, zip(*answers, strict=True))),
            arena=None,
            engine=self.name,
            version=f"{distribution} {importlib.metadata.version(distribution)}",
        )


def _refuse_fatal(graph: Graph) -> None:
    """Refuse what ends the whole process: int8 SVDF frees memory twice (ai-edge-litert 2.3.0)."""
    for operator in graph.operators:
        if operator.kind == "SVDF" and graph.input_tensors(operator)[1].dtype == "int8":
            raise EngineError(
                f"operator {operator.index} (SVDF with int8 weights) crashes LiteRT: "
                "use the TFLM engine for this model"
            )


def _load(runtime: str | None) -> tuple[str, ModuleType]:
    wanted = RUNTIMES if runtime is None else {runtime: RUNTIMES[runtime]}
    problems = []
    for distribution, module in wanted.items():
        try:
            return distribution, importlib.import_module(module)
        except ImportError as error:
            problems.append(f"{distribution}: {error}")
    raise EngineError(
        f"no LiteRT runtime can be imported ({'; '.join(problems)}). Install ai-edge-litert, or "
        "tflite-runtime where Python is below 3.12 and numpy below 2."
    )


def _interpreter(module: ModuleType, model: bytes, graph: Graph) -> Any:
    kernels = module.OpResolverType.BUILTIN_REF
    if any(operator.kind in _WITHOUT_REFERENCE for operator in graph.operators):
        kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with caught_stderr() as caught:
        problem = None
        try:
            interpreter = module.Interpreter(
                model_content=model,
                num_threads=1,
                experimental_op_resolver_type=kernels,
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            problem = error
    if problem is not None:
        raise EngineError(
            f"LiteRT refuses the model: {_first_line(str(problem), caught.text)}. "
            "Check that all its operators are TFLite builtins."
        )
    return interpreter


def _first_line(message: str, log: str) -> str:
    return next((line.strip() for line in f"{message}\n{log}".splitlines() if line.strip()), "?")


def _invoke(interpreter: Any, sample: Sequence[Array], is_stateful: bool) -> list[Array]:
    if is_stateful:
        interpreter.reset_all_variables()
    for tensor, value in zip(interpreter.get_input_details(), sample, strict=True):
        interpreter.set_tensor(tensor["index"], value[np.newaxis])
    try:
        interpreter.invoke()
    except RuntimeError as error:
        raise EngineError(f"LiteRT failed while running the model: {error}") from None
    return [interpreter.get_tensor(out["index"]) for out in interpreter.get_output_details()]
