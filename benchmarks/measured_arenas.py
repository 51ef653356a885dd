"""Arenas that others measured, each beside what is predicted for it."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.resources import estimate
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph

# Devices of the measurements and their names in the catalogue of boards.
BOARDS = {"esp32": "esp32-devkitc", "nano33ble": "arduino-nano-33-ble"}


@dataclasses.dataclass(frozen=True)
class ArenaRow:
    """Predicted and measured bytes of one model's arena; no head where it was not measured."""

    model: str
    where: str
    runtime: str
    pointer_bits: int
    head_predicted: int
    head_measured: int | None
    total_predicted: int
    total_measured: int
    smallest_predicted: int
    note: str = ""

    @property
    def error_bytes(self) -> int:
        """Predicted minus measured arena."""
        return self.total_predicted - self.total_measured


def built_rows(models: Path, table: Path) -> Iterator[ArenaRow]:
    """Yield the rows of TFLM built for a 64-bit host, then for a Cortex-M4 with CMSIS-NN."""
    with table.open() as file:
        rows = list(csv.DictReader(file))
    for where, runtime, bits, head, total in (
        ("host", "tflm-reference-plain", 64, "head_bytes", "host64_arena_bytes"),
        ("Cortex-M4", "tflm-cmsis-nn", 32, "m4_head_bytes", "m4_arena_bytes"),
    ):
        for row in rows:
            graph = _graph(models / row["model"], row["model"]) if row[total] else None
            if graph is not None:
                measured = int(row[head]), int(row[total])
                yield _row(graph, where, runtime, bits, *measured)


def board_rows(models: Path, lines: Path) -> Iterator[ArenaRow]:
    """Yield a row per model and board of mcufit_bench."""
    files = {path.name: path for path in models.rglob("*.tflite")}
    measured = {
        (row["target"], row["model"]): row["arena_used_bytes"]
        for row in map(json.loads, lines.read_text().splitlines())
        if "arena_used_bytes" in row and row["model"] in files
    }
    for (target, model), total in measured.items():
        graph = _graph(files[model], model)
        if graph is not None:
            runtime = runtime_of_board(BOARDS[target])
            yield _row(graph, BOARDS[target], runtime, BOARD_POINTER_BITS, None, total)


def _graph(path: Path, name: str) -> Graph | None:
    try:
        return parse_tflite(path.read_bytes(), name)
    except InputError:
        return None


def _row(
    graph: Graph, where: str, runtime: str, bits: int, head: int | None, total: int
) -> ArenaRow:
    found = estimate(graph, runtime, bits)
    unknown = ", ".join(found.unknown_operators)
    return ArenaRow(
        model=graph.name,
        where=where,
        runtime=runtime,
        pointer_bits=bits,
        head_predicted=found.arena_head_bytes,
        head_measured=head,
        total_predicted=found.arena_total_bytes,
        total_measured=total,
        smallest_predicted=found.arena_smallest_bytes,
        note=f"counted by default: {unknown}" if unknown else "",
    )


def print_arenas(title: str, rows: list[ArenaRow]) -> None:
    """Print a line per row and how many are exact."""
    print(f"\n{title} (bytes; predicted / measured)")
    print(f"{'model':74} {'runtime':21} {'head':>17} {'arena':>17} {'error':>8} {'smallest':>9}")
    for row in rows:
        head = "-" if row.head_measured is None else f"{row.head_measured:,}"
        print(
            f"{row.model:74} {row.runtime:21} {f'{row.head_predicted:,} / {head}':>17} "
            f"{f'{row.total_predicted:,} / {row.total_measured:,}':>17} {row.error_bytes:>+8,} "
            f"{row.smallest_predicted:>9,} {row.note}"
        )
    heads = [row for row in rows if row.head_measured is not None]
    same = sum(row.head_predicted == row.head_measured for row in heads)
    exact = sum(row.error_bytes == 0 for row in rows)
    worst = max((abs(row.error_bytes) / row.total_measured for row in rows), default=0.0)
    heads_said = f"heads exact: {same} of {len(heads)}; " if heads else ""
    print(f"{heads_said}arenas exact: {exact} of {len(rows)}; largest error {worst:.2%}")
