"""Real TensorFlow Lite Micro with its reference kernels, on the host.

The ``tflite-micro`` package uses TFLM's recording allocator and 64-bit structs. Its head is the
head of a device with reference kernels; its tail is larger than a device's, so the total is on
the safe side for one.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcuprune.engines.base import ArenaUse, Array, EngineRun, matching_inputs
from mcuprune.errors import EngineError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph
from mcuprune.native_output import caught_stderr

DISTRIBUTION = "tflite_micro"
_USE = re.compile(r"\[RecordingMicroAllocator\] Arena allocation (total|head|tail) (\d+) bytes")


@dataclasses.dataclass(frozen=True)
class TFLM:
    """Runs models with TensorFlow Lite Micro."""

    @property
    def name(self) -> str:
        """Name of the engine."""
        return "tflm"

    def run(self, model: bytes, inputs: Array | Sequence[Array]) -> EngineRun:
        """Execute the model on each input and report the arena used.

        See :class:`mcuprune.engines.base.Engine` for arguments and errors.
        """
        graph = parse_tflite(model, "the model")
        arrays = matching_inputs(graph, inputs)
        interpreter = _interpreter(model, graph)
        is_stateful = any(tensor.is_variable for tensor in graph.tensors)
        with caught_stderr() as caught:
            answers, problem = _invoke_all(interpreter, arrays, len(graph.outputs), is_stateful)
        if problem is not None:
            raise EngineError(f"TFLM failed while running the model: {_reason(caught.text)}")
        return EngineRun(
            all_outputs=tuple(map(np.concatenate, zip(*answers, strict=True))),
            arena=_arena_use(interpreter),
            engine=self.name,
            version=f"tflite-micro {importlib.metadata.version(DISTRIBUTION)}",
        )

    def arena(self, model: bytes) -> ArenaUse:
        """Return the arena that TFLM uses for the model.

        Args:
            model: Contents of a ``.tflite`` file; any number of inputs and outputs.

        Raises:
            InputError: The model is no sound TFLite file.
            EngineError: TFLM refuses the model.
        """
        return _arena_use(_interpreter(model, parse_tflite(model, "the model")))


def _interpreter(model: bytes, graph: Graph) -> Any:
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        raise EngineError(
            f"TFLM cannot be imported ({error}): install the pinned pre-release of tflite-micro"
        ) from None
    problem = None
    with caught_stderr() as caught:
        try:
            interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ample_arena(graph))
        except RuntimeError as error:
            problem = error
    if problem is not None:
        raise EngineError(
            f"TFLM refuses the model: {_reason(caught.text) or problem}. Use operators and types "
            "that TFLM's kernels support; convert with mcuprune.deploy() for full int8."
        )
    return interpreter


def _ample_arena(graph: Graph) -> int:
    """Bytes that no plan exceeds: all tensors at once, structs, scratch; untouched pages are free.

    TFLM's structs take under 1 KiB a tensor or operator; scratch at most what the tensors take.
    """
    activations = sum(t.size_bytes + 16 for t in graph.tensors if not t.is_constant)
    parameters = sum(t.size_bytes for t in graph.tensors if t.is_constant)
    records = 1024 * (len(graph.tensors) + len(graph.operators))
    ample = int(2 * activations + parameters + records + 2**20)
    # A multiple of 16, or the first persistent allocation loses bytes to alignment.
    return ample // 16 * 16


def _invoke_all(
    interpreter: Any, inputs: Sequence[Array], output_count: int, is_stateful: bool
) -> tuple[list[list[Array]], RuntimeError | None]:
    answers: list[list[Array]] = []
    try:
        for sample in zip(*inputs, strict=True):
            if is_stateful:
                interpreter.reset()
            for place, value in enumerate(sample):
                interpreter.set_input(value[np.newaxis], place)
            interpreter.invoke()
            answers.append([np.array(interpreter.get_output(i)) for i in range(output_count)])
    except RuntimeError as error:
        return answers, error
    return answers, None


def _arena_use(interpreter: Any) -> ArenaUse:
    with caught_stderr() as caught:
        interpreter.print_allocations()
    found = {part: int(count) for part, count in _USE.findall(caught.text)}
    for line in caught.text.splitlines():
        if "[RecordingMicroAllocator]" not in line:
            sys.stderr.write(f"{line}\n")  # another thread's
    if found.keys() != {"total", "head", "tail"}:
        raise EngineError(
            "TFLM did not report its arena in the known form; this version of tflite-micro "
            f"({importlib.metadata.version(DISTRIBUTION)}) is not supported, install the pinned one"
        )
    return ArenaUse(found["head"], found["tail"], found["total"])


def _reason(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return "; ".join(lines[:2])
