"""What an inference takes on a board, predicted, operator by operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from mcuprune.boards import board as find_board
from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.resources import PREDICTED, estimate
from mcuprune.cost.timing import with_time
from mcuprune.ir.graph import Graph
from mcuprune.report.comparison import ComparisonRow


@dataclasses.dataclass(frozen=True)
class BoardTime:
    """Time and energy of a model on a board, predicted.

    Attributes:
        board: The board.
        described: Board, runtime and clock in words.
        latency_ms: Milliseconds of an inference, None where not known.
        energy_mj: Millijoules of an inference, None where not known.
        cycles: Cycles of each operator, None where not known.
    """

    board: str
    described: str
    latency_ms: float | None
    energy_mj: float | None
    cycles: tuple[int | None, ...]


def board_time(graph: Graph, board: str) -> BoardTime:
    """Predict what an inference takes.

    Args:
        graph: The model, its dimensions ints.
        board: A board of the catalogue.

    Raises:
        UnknownNameError: No such board; names the nearest.
    """
    device, runtime = find_board(board), runtime_of_board(board)
    timed = with_time(estimate(graph, runtime, BOARD_POINTER_BITS), graph, device)
    clock = timed.latency.clock_mhz if timed.latency else None
    described = f"{device.name}, {runtime}" + (f" at {clock:g} MHz" if clock else "")
    cycles = tuple(operator.cycles for operator in timed.operators)
    return BoardTime(device.name, described, timed.latency_ms, timed.energy_mj, cycles)


def time_rows(
    before: BoardTime | None, after: BoardTime | None, limits: Mapping[str, int]
) -> Iterator[ComparisonRow]:
    """Yield latency and energy as rows of a comparison, where they are known.

    Args:
        before: Of the reference.
        after: Of the pruned model.
        limits: The budget; its ``latency`` is in microseconds.
    """
    if after is None:
        return
    latency_us = limits.get("latency")
    for label, field, unit, limit in (
        ("latency", "latency_ms", "ms", None if latency_us is None else latency_us / 1_000),
        ("energy", "energy_mj", "mJ", None),
    ):
        value = getattr(after, field)
        if value is not None:
            was = None if before is None else getattr(before, field)
            yield ComparisonRow(f"{label} on {after.board}", was, value, limit, unit, PREDICTED)
