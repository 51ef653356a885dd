"""Which tensors lie in the arena while each operator runs, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from mcuprune.cost.scratch import scratch_requests
from mcuprune.ir.graph import Graph, Operator
from mcuprune.planner.lifetimes import Buffer, buffers, step_of

Role = Literal["keeps", "reads", "writes", "scratch"]
BAR_ORDER: tuple[Role, ...] = ("keeps", "reads", "writes", "scratch")


@dataclasses.dataclass(frozen=True)
class LiveTensor:
    """A tensor in the arena while an operator runs.

    Attributes:
        name: The tensor's name.
        shape: Without the batch.
        size_bytes: Bytes in the arena, a multiple of 16.
        role: Whether the operator ``reads`` it, ``writes`` it, it ``keeps`` for a later operator,
            or it is ``scratch`` of the kernel.
    """

    name: str
    shape: tuple[int, ...]
    size_bytes: int
    role: Role


@dataclasses.dataclass(frozen=True)
class Step:
    """An operator and what lies in the arena while it runs.

    Attributes:
        index: Position in the execution order.
        kind: TFLite's operator name.
        live: Tensors in the arena, in the order of :data:`BAR_ORDER`.
    """

    index: int
    kind: str
    live: tuple[LiveTensor, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all live tensors."""
        return sum(tensor.size_bytes for tensor in self.live)


def occupancy(graph: Graph) -> list[Step]:
    """Return what lies in the arena at each operator.

    Args:
        graph: A graph whose dimensions are ints.
    """
    planned = buffers(graph, scratch_requests(graph))
    return [_step(graph, operator, planned) for operator in graph.operators]


def peak_step(steps: list[Step]) -> Step:
    """Return the step with the most bytes; of equals the first."""
    return max(steps, key=lambda step: (step.size_bytes, -step.index))


def _step(graph: Graph, operator: Operator, planned: Sequence[Buffer]) -> Step:
    step = step_of(operator.index)
    live = [
        _live(graph, operator, buffer.tensor, buffer.size_bytes)
        for buffer in planned
        if buffer.first_step <= step <= buffer.last_step
    ]
    live.sort(key=lambda tensor: BAR_ORDER.index(tensor.role))
    return Step(operator.index, operator.kind, tuple(live))


def _live(graph: Graph, operator: Operator, index: int | None, size_bytes: int) -> LiveTensor:
    if index is None:
        return LiveTensor("scratch", (), size_bytes, "scratch")
    tensor = graph.tensors[index]
    role: Role = "keeps"
    if index in operator.inputs:
        role = "reads"
    if index in operator.outputs:
        role = "writes"
    return LiveTensor(tensor.name, tuple(tensor.shape[1:]), size_bytes, role)
