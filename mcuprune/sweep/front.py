"""The trials that no other trial is better than, board by board.

Resources are counted for a board's firmware, so trials for different boards do not compare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from mcuprune.sweep.row import FINISHED, Row


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a network costs, in the units of :class:`mcuprune.sweep.row.Row`.

    Attributes:
        peak_sram_bytes: Arena.
        flash_bytes: File.
        macs: Multiply-accumulates per inference.
        latency_ms: Time of an inference on the board, None where not known.
    """

    peak_sram_bytes: int
    flash_bytes: int
    macs: int
    latency_ms: float | None = None

    def at_most(self, other: Costs) -> bool:
        """Whether no resource is above another network's.

        Time is compared by latency where it is known of both, else by MACs.
        """
        if self.latency_ms is not None and other.latency_ms is not None:
            is_as_fast = self.latency_ms <= other.latency_ms
        else:
            is_as_fast = self.macs <= other.macs
        return (
            self.peak_sram_bytes <= other.peak_sram_bytes
            and self.flash_bytes <= other.flash_bytes
            and is_as_fast
        )


def costs_of(row: Row) -> Costs | None:
    """Return what a trial's network costs, None where it has none yet."""
    if row.peak_sram_bytes is None or row.flash_bytes is None or row.macs is None:
        return None
    return Costs(row.peak_sram_bytes, row.flash_bytes, row.macs, row.latency_ms)


def dominates(one: Row, other: Row) -> bool:
    """Whether a finished trial makes another of its board pointless.

    It is as accurate and costs no more, and is better in one of these.
    """
    if one.board != other.board or one.accuracy is None or other.accuracy is None:
        return False
    costs, others = costs_of(one), costs_of(other)
    if costs is None or others is None:
        return False
    is_as_good = one.accuracy >= other.accuracy and costs.at_most(others)
    return is_as_good and (one.accuracy > other.accuracy or not others.at_most(costs))


def front(rows: Iterable[Row]) -> list[Row]:
    """Return the finished trials that no other dominates, the most accurate first.

    Of trials that are equal in everything, all are in it.
    """
    finished = [row for row in rows if row.status == FINISHED and costs_of(row) is not None]
    best = [row for row in finished if not any(dominates(other, row) for other in finished)]
    return sorted(best, key=lambda row: (row.board or "", -(row.accuracy or 0.0), row.trial))


def with_front(rows: Sequence[Row]) -> list[Row]:
    """Return trials with ``on_front`` as it is now."""
    numbers = {row.trial for row in front(rows)}
    return [dataclasses.replace(row, on_front=int(row.trial in numbers)) for row in rows]
