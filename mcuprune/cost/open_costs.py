"""What a graph with open widths costs, compiled once for evaluation at many widths.

The formulas are those that count a graph exactly (:mod:`~mcuprune.cost.memory`,
:mod:`~mcuprune.cost.tail`, :mod:`~mcuprune.cost.flash`, :mod:`~mcuprune.cost.macs`), run over its
open widths.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mcuprune.cost.firmware import HOST, Target
from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.formulas import FloatArray, Formulas, Values
from mcuprune.cost.latency import Timing, required_millicycles
from mcuprune.cost.macs import total_macs
from mcuprune.cost.runtime import load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.cost.tail import arena_tail
from mcuprune.ir.dim import Dim, Extent
from mcuprune.ir.graph import Graph
from mcuprune.planner.first_fit import quick_height_bytes
from mcuprune.planner.greedy import neighbours, place
from mcuprune.planner.lifetimes import Buffer, buffers, step_of
from mcuprune.planner.offline import Arrangement, arranged, arranged_buffers
from mcuprune.planner.packing import Packing, packing_of

# Numbers before the working sets: tail, file, MACs, thousandths of a cycle.
_TOTALS = 4


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a network costs at certain widths; whole numbers at whole widths.

    Attributes:
        arena_tail: Bytes of the arena's tail.
        flash_bytes: Bytes of the file, and of the runtime's code where the target counts it.
        macs: Multiply-accumulates per inference.
        latency_us: Predicted microseconds of an inference, 0 if time does not matter.
        working_sets: Bytes that must be in SRAM while each operator runs, in execution order.
        buffers: Bytes of all that the memory plan places.
        values: The formulas' values.
    """

    arena_tail: float
    flash_bytes: float
    macs: float
    latency_us: float
    working_sets: FloatArray
    buffers: FloatArray
    values: Values


class OpenCosts:
    """Arena, flash, MACs and time as functions of the widths.

    Args:
        graph: A graph with open widths.
        target: Whose memory to count.
        timing: How the board runs kernels; None if time does not matter.
        arrangement: Of the memory plan that ships inside the file; None for a file without one,
            in which TFLM plans by itself.

    Raises:
        UnsupportedModelError: Time matters, but a kernel is not in the board's table.

    Attributes:
        names: The widths that have a say.
        is_planned: Whether a memory plan is in the file.
    """

    def __init__(
        self,
        graph: Graph,
        target: Target = HOST,
        timing: Timing | None = None,
        arrangement: Arrangement | None = None,
    ) -> None:
        if arrangement is not None:
            graph = arranged(graph, arrangement)
        placed = _placed(graph, target, arrangement)
        self._neighbours = neighbours(placed)
        self._prescribed = [buffer.offline_offset_bytes for buffer in placed]
        self.is_planned = arrangement is not None
        self._packing = None if arrangement is None else _packing_without_sizes(placed)
        sizes = [buffer.size_bytes for buffer in placed]
        sets = [_held(placed, step_of(operator.index)) for operator in graph.operators]
        tail = arena_tail(graph, target.pointer_bits, target.runtime)
        flash = flash_bytes(graph) + (target.code_bytes(graph) or 0)
        millicycles = 0 if timing is None else required_millicycles(graph, timing)
        self._us_per_millicycle = 0.0 if timing is None else timing.microseconds(1.0)
        numbers = [tail, flash, total_macs(graph), millicycles, *sets, *sizes]
        self.names = _names(numbers)
        self._sets = slice(_TOTALS, _TOTALS + len(sets))
        self._formulas = Formulas(numbers, self.names)

    def at(self, widths: Mapping[str, float]) -> Costs:
        """Evaluate.

        Args:
            widths: Whole or soft width of each name; others are ignored.

        Raises:
            KeyError: A width is missing.
        """
        values = self._formulas.at(np.array([widths[name] for name in self.names], np.float64))
        tail, flash, macs, millicycles = (float(number) for number in values.results[:_TOTALS])
        sets, sizes = values.results[self._sets], values.results[self._sets.stop :]
        latency_us = millicycles * self._us_per_millicycle
        return Costs(tail, flash, macs, latency_us, sets, sizes, values)

    def arena_head(self, costs: Costs) -> int:
        """Return the bytes of the arena's head at whole widths.

        The size of TFLM's plan, or with an arrangement of a plan no smaller than the one that
        ships.
        """
        sizes = costs.buffers.astype(np.int64).tolist()
        if self._packing is not None:
            return quick_height_bytes(dataclasses.replace(self._packing, sizes_bytes=tuple(sizes)))
        offsets = place(sizes, self._neighbours, self._prescribed)
        return max((o + size for o, size in zip(offsets, sizes, strict=True)), default=0)

    def slopes(
        self,
        costs: Costs,
        *,
        arena_tail: float = 0.0,
        flash_bytes: float = 0.0,
        macs: float = 0.0,
        latency_us: float = 0.0,
        working_sets: FloatArray | float = 0.0,
    ) -> dict[str, float]:
        """Return the derivative by each width of the sum of costs, each times its weight.

        Args:
            costs: The costs, whose widths are those that count.
            arena_tail: Weight of the tail.
            flash_bytes: Weight of the file.
            macs: Weight of the MACs.
            latency_us: Weight of the time.
            working_sets: Weight of each working set.
        """
        weights = np.zeros(len(costs.values.results))
        weights[:_TOTALS] = arena_tail, flash_bytes, macs, latency_us * self._us_per_millicycle
        weights[self._sets] = working_sets
        return dict(zip(self.names, costs.values.slopes(weights).tolist(), strict=True))


def _placed(graph: Graph, target: Target, arrangement: Arrangement | None) -> tuple[Buffer, ...]:
    scratch = scratch_requests(graph, load_runtime(target.runtime))
    if arrangement is None:
        return buffers(graph, scratch)
    return arranged_buffers(graph, scratch, arrangement)


def _packing_without_sizes(placed: Sequence[Buffer]) -> Packing:
    return packing_of([dataclasses.replace(buffer, size_bytes=0) for buffer in placed])


def _held(placed: Sequence[Buffer], step: int) -> Extent:
    """Return the bytes of all that is in memory at a step."""
    return sum(b.size_bytes for b in placed if b.first_step <= step <= b.last_step)


def _names(numbers: list[Extent]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for number in numbers:
        if isinstance(number, Dim):
            names |= dict.fromkeys(number.names)
    return tuple(names)
