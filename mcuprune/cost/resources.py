"""What a model costs, in the units of the budget, with the origin of every number."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mcuprune.cost.causes import Causes, arena_causes, operator_causes
from mcuprune.cost.code import runtime_code_bytes
from mcuprune.cost.energy import Energy
from mcuprune.cost.fitting import BoardFit
from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.latency import Latency
from mcuprune.cost.macs import operator_macs
from mcuprune.cost.memory import arena_head, arena_tail, live_tensors
from mcuprune.cost.resource_rows import resource_rows, time_row
from mcuprune.cost.runtime import REFERENCE, Runtime, load_runtime
from mcuprune.cost.smallest import smallest_arena
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.notebook import html_table

PREDICTED, PLANNED, FILE = "predicted", "planned", "file"


@dataclasses.dataclass(frozen=True)
class LiveTensor:
    """A tensor in SRAM while an operator runs, its bytes aligned up to 16."""

    name: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class OperatorResources:
    """What one operator costs.

    Attributes:
        index: Position in the execution order.
        kind: TFLite's name of the operator.
        macs: Multiply-accumulates per inference.
        weights_bytes: Bytes of its constants.
        working_set_bytes: Bytes in SRAM while it runs.
        live_tensors: What the working set consists of.
        arena_by_cause: What its working set and what TFLM keeps for it go to, in bytes.
        cycles: Predicted cycles on the board that was asked about, None where not known.
    """

    index: int
    kind: str
    macs: int
    weights_bytes: int
    working_set_bytes: int
    live_tensors: tuple[LiveTensor, ...]
    arena_by_cause: Causes
    cycles: int | None = None


@dataclasses.dataclass(frozen=True)
class Resources:
    """What a model costs.

    Attributes:
        model: Name of the model.
        runtime: Whose memory is counted (:data:`mcuprune.cost.runtime.RUNTIMES`).
        pointer_bits: Width of a pointer in that runtime.
        peak_sram_bytes: Bytes of the arena; equals ``arena_total_bytes``.
        largest_working_set_bytes: Largest sum of live tensors over the operators.
        arena_head_bytes: Activations and scratch memory under TFLM's greedy plan.
        arena_tail_bytes: What TFLM keeps for good: structures, multipliers and shifts.
        arena_total_bytes: Head and tail.
        arena_smallest_bytes: The smallest arena that allocates: more than ``arena_total_bytes``
            where planning needs more memory than running.
        arena_by_cause: What the bytes of ``arena_total_bytes`` go to.
        arena_planned_bytes: The arena with the memory plan that ``deploy`` and ``optimize`` write
            into the file; None where that was not asked.
        flash_bytes: Bytes the model takes in flash; equals ``tflite_bytes``.
        tflite_bytes: Bytes of the ``.tflite`` file.
        runtime_code_bytes: Flash that the runtime's code takes on top, as built for a Cortex-M4;
            None where no build was measured.
        macs: Multiply-accumulates per inference.
        params: Elements of kernels and biases.
        latency_ms: Predicted milliseconds of an inference on the board that was asked about, None
            without a board and where it is not known.
        operators: In execution order.
        peak_operator: Index of the operator with the largest working set, None without operators.
        unknown_operators: Kinds whose memory is counted with a default, because TFLM's reference
            kernels do not have them or their structures are not in the table.
        provenance: Origin per number: ``"predicted"`` (a formula), ``"planned"`` (our planner),
            ``"file"`` (the size of a file).
        converted_layers: Path and class of each Keras layer that was counted by converting it
            alone, for want of a rule; what folds across its borders is not foreseen.
        board: The board that was asked about, if any.
        fits_board: Whether arena and flash fit into that board's memories, with nothing reserved
            for the firmware; None without a board.
        cycles: Predicted cycles of an inference on that board, None where not known.
        latency: Where the latency comes from, or why there is none; None without a board.
        energy: Energy of an inference on that board, None where not known.
        energy_mj: Its millijoules.
        boards_that_fit: The boards of the catalogue that hold the model; None if a board was
            asked about.
    """

    model: str
    runtime: str
    pointer_bits: int
    peak_sram_bytes: int
    largest_working_set_bytes: int
    arena_head_bytes: int
    arena_tail_bytes: int
    arena_total_bytes: int
    arena_smallest_bytes: int
    arena_by_cause: Causes
    flash_bytes: int
    tflite_bytes: int
    runtime_code_bytes: int | None
    macs: int
    params: int
    latency_ms: float | None
    operators: tuple[OperatorResources, ...]
    peak_operator: int | None
    unknown_operators: tuple[str, ...]
    provenance: Mapping[str, str]
    converted_layers: tuple[str, ...] = ()
    board: str | None = None
    fits_board: bool | None = None
    cycles: int | None = None
    latency: Latency | None = None
    energy: Energy | None = None
    energy_mj: float | None = None
    boards_that_fit: tuple[BoardFit, ...] | None = None
    arena_planned_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON form: the attributes by name."""
        return dataclasses.asdict(self)

    def _repr_html_(self) -> str:
        rows = [*resource_rows(self), *time_row(self)]
        cells = [(row.label, row.needed, row.origin) for row in rows]
        title = f"{self.model}, {self.runtime}, {self.pointer_bits}-bit"
        return html_table(("resource", "needed", "origin"), cells, title=title, numbers=[1])

    def __str__(self) -> str:
        """Say what matters most on a line per number, each with its origin."""
        rows = [*resource_rows(self), *time_row(self)]
        lines = [f"  {row.label}: {row.needed} ({row.origin})" for row in rows]
        return "\n".join([f"{self.model}, {self.runtime}, {self.pointer_bits}-bit", *lines])


def estimate(graph: Graph, runtime: str = REFERENCE, pointer_bits: int | None = None) -> Resources:
    """Count what a graph costs.

    Args:
        graph: A graph whose dimensions are ints.
        runtime: A name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        pointer_bits: 64 for a host, 32 for a microcontroller; None for what the runtime usually
            has.

    Raises:
        UnknownNameError: No such runtime.
        InputError: Another width of pointers, or an operator lacks a tensor that its kind needs.
    """
    build = load_runtime(runtime, pointer_bits)
    operators = _operators(graph, build)
    head_bytes = arena_head(graph, runtime)
    tail_bytes = int(arena_tail(graph, pointer_bits, runtime))
    file_bytes = int(flash_bytes(graph)) if graph.file_bytes is None else graph.file_bytes
    code_bytes = runtime_code_bytes((operator.kind for operator in operators), build)
    peak = max(operators, key=lambda op: op.working_set_bytes, default=None)
    return Resources(
        model=graph.name,
        runtime=runtime,
        pointer_bits=build.pointer_bits,
        peak_sram_bytes=head_bytes + tail_bytes,
        largest_working_set_bytes=0 if peak is None else peak.working_set_bytes,
        arena_head_bytes=head_bytes,
        arena_tail_bytes=tail_bytes,
        arena_total_bytes=head_bytes + tail_bytes,
        arena_smallest_bytes=smallest_arena(graph, runtime, pointer_bits),
        arena_by_cause=arena_causes(graph, runtime, pointer_bits),
        flash_bytes=file_bytes,
        tflite_bytes=file_bytes,
        runtime_code_bytes=code_bytes,
        macs=sum(op.macs for op in operators),
        params=sum(int(t.elements) for t in graph.tensors if _is_parameter(t)),
        latency_ms=None,
        operators=operators,
        peak_operator=None if peak is None else peak.index,
        unknown_operators=_unknown(graph, build),
        provenance=_provenance(graph, code_bytes),
        converted_layers=graph.converted_layers,
    )


def _operators(graph: Graph, runtime: Runtime) -> tuple[OperatorResources, ...]:
    live = live_tensors(graph, runtime.name)
    causes = operator_causes(graph, runtime.name, runtime.pointer_bits)
    return tuple(
        OperatorResources(
            index=operator.index,
            kind=operator.kind,
            macs=int(operator_macs(graph, operator)),
            weights_bytes=_weights_bytes(graph, operator),
            working_set_bytes=sum(int(size_bytes) for _, size_bytes in tensors),
            live_tensors=tuple(LiveTensor(name, int(size_bytes)) for name, size_bytes in tensors),
            arena_by_cause=by_cause,
        )
        for operator, tensors, by_cause in zip(graph.operators, live, causes, strict=True)
    )


def _weights_bytes(graph: Graph, operator: Operator) -> int:
    return sum(int(t.size_bytes) for t in graph.input_tensors(operator) if t.is_constant)


def _is_parameter(tensor: Tensor) -> bool:
    """Tell kernels and biases from the shapes and axes that are constants too."""
    is_quantized = tensor.quantization_scales > 0
    return tensor.is_constant and (is_quantized or tensor.dtype.startswith("float"))


def _unknown(graph: Graph, runtime: Runtime) -> tuple[str, ...]:
    return tuple(sorted({op.kind for op in graph.operators if op.kind not in runtime.kernels}))


def _provenance(graph: Graph, code_bytes: int | None) -> dict[str, str]:
    file_origin = PREDICTED if graph.file_bytes is None else FILE
    code_origin = {} if code_bytes is None else {"runtime_code_bytes": PREDICTED}
    return code_origin | {
        "peak_sram_bytes": PLANNED,
        "largest_working_set_bytes": PREDICTED,
        "arena_head_bytes": PLANNED,
        "arena_tail_bytes": PREDICTED,
        "arena_total_bytes": PLANNED,
        "arena_smallest_bytes": PREDICTED,
        "flash_bytes": file_origin,
        "tflite_bytes": file_origin,
        "macs": PREDICTED,
        "params": PREDICTED,
    }
