"""What other tools reached within the same budgets, trained in PyTorch on the same data.

The table has one row per trained network: task, method, tag (its ratio or strength), seed, MACs,
bytes, int8 accuracy.
"""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from accuracy.tasks import Limits

# Methods of the table that are one method at several strengths.
TOGETHER = {
    "uniform": "uniform width",
    "uniform_fit": "uniform width",
    "hand2": "two multipliers",
    "tp_taylor_local": "Torch-Pruning, per-layer Taylor",
    "tp_taylor": "Torch-Pruning, global Taylor",
    "tp_mag": "Torch-Pruning, global L2",
    "pit_plain_ops": "PLiNIO PIT",
    "pit_plain_params": "PLiNIO PIT",
    "pit_duccio_ops": "PLiNIO PIT",
    "pit_duccio_params": "PLiNIO PIT",
}


@dataclasses.dataclass(frozen=True)
class Point:
    """One network of a peer.

    Attributes:
        method: What the peer is called here.
        seed: Its seed.
        macs: Multiply-accumulates.
        flash_bytes: Of its file.
        arena_bytes: As TFLM used it on a 64-bit host.
        int8: Accuracy of the file, 0 to 1.
    """

    method: str
    seed: int
    macs: int
    flash_bytes: int
    arena_bytes: int
    int8: float

    def fits(self, limits: Limits) -> bool:
        """Tell whether it meets a budget."""
        return self.flash_bytes <= limits.flash_bytes and self.arena_bytes <= limits.arena_bytes


def read_points(path: Path, letter: str) -> list[Point]:
    """Read the networks of a task from the peers' table."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Point(
                method=TOGETHER[row["method"]],
                seed=int(row["seed"]),
                macs=int(row["macs"]),
                flash_bytes=int(row["tflite_bytes"]),
                arena_bytes=int(row["arena_total"]),
                int8=float(row["int8_acc"]),
            )
            for row in csv.DictReader(file)
            if row["task"] == letter
        ]


def fitting(points: Iterable[Point], limits: Limits) -> Mapping[str, list[Point]]:
    """Return for each peer and seed the network with most MACs of those that fit.

    So nothing is chosen by its accuracy on the test set.
    """
    chosen: dict[tuple[str, int], Point] = {}
    for point in sorted(points, key=lambda point: point.macs):
        if point.fits(limits):
            chosen[point.method, point.seed] = point
    found = defaultdict(list)
    for (method, _), point in sorted(chosen.items()):
        found[method].append(point)
    return dict(found)
