"""A trial of a sweep: what it is asked for, and what has become of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mcuprune.units import format_bytes, format_milliseconds

WAITING, RUNNING, FINISHED = "waiting", "running", "finished"
STOPPED, INFEASIBLE, FAILED = "stopped", "infeasible", "failed"
# What a sweep that goes on leaves as it is.
SETTLED = (FINISHED, STOPPED, INFEASIBLE)


@dataclasses.dataclass(frozen=True)
class Row:
    """One trial, as the results keep it.

    Attributes:
        trial: Its number, from 0.
        board: The board that its network is meant for, None for the host.
        seed: Seed of its training.
        budget_sram_bytes: Limit on the arena, None where free.
        budget_flash_bytes: Limit on the file, and with a board on the runtime's code too.
        budget_macs: Limit on multiply-accumulates.
        budget_latency_us: Limit on the predicted time on the board, in microseconds.
        settings: Further keys of the recipe and their values, as JSON.
        status: ``waiting``, ``running``, ``finished``, ``stopped`` (it could not reach the front),
            ``infeasible`` (no network meets the budget) or ``failed``.
        accuracy: Share of test inputs that the int8 file classifies right in LiteRT, 0 to 1
            (interpreter).
        float_accuracy: The same of the trained network in Keras, before the conversion.
        val_accuracy: Share of validation inputs after the last epoch, in Keras.
        peak_sram_bytes: Arena, counted on the file for the board's firmware, or the host's.
        flash_bytes: The file.
        macs: Multiply-accumulates per inference (predicted).
        latency_ms: Predicted time on the board, None where not known.
        energy_mj: Predicted energy on the board, None where not known.
        fits: 1 if the file meets the trial's budget, else 0.
        on_front: 1 if no other trial of its board is better.
        epochs: Epochs that were trained under the budget.
        seconds: Wall time of the trial, over all its processes.
        began: When it began, or began again after the sweep had died, in seconds since 1970.
        ended: When it ended.
        message: Why it was stopped, is infeasible or has failed.
        folder: Its run folder, from the sweep's.
    """

    trial: int
    board: str | None
    seed: int
    budget_sram_bytes: int | None = None
    budget_flash_bytes: int | None = None
    budget_macs: int | None = None
    budget_latency_us: int | None = None
    settings: str = "{}"
    status: str = WAITING
    accuracy: float | None = None
    float_accuracy: float | None = None
    val_accuracy: float | None = None
    peak_sram_bytes: int | None = None
    flash_bytes: int | None = None
    macs: int | None = None
    latency_ms: float | None = None
    energy_mj: float | None = None
    fits: int | None = None
    on_front: int = 0
    epochs: int = 0
    seconds: float = 0.0
    began: float | None = None
    ended: float | None = None
    message: str = ""
    folder: str = ""

    @property
    def limits(self) -> dict[str, int]:
        """The limits that are set, by the names of a recipe's budget."""
        given = {
            "sram": self.budget_sram_bytes,
            "flash": self.budget_flash_bytes,
            "macs": self.budget_macs,
            "latency": self.budget_latency_us,
        }
        return {name: limit for name, limit in given.items() if limit is not None}

    @property
    def varied(self) -> dict[str, Any]:
        """Further keys of the recipe and their values."""
        values: dict[str, Any] = json.loads(self.settings)
        return values

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells this trial from others of the sweep."""
        return (*self.configuration, self.seed)

    @property
    def configuration(self) -> tuple[Any, ...]:
        """What it shares with the trials that differ in the seed alone."""
        return (self.board, tuple(sorted(self.limits.items())), self.settings)

    @property
    def is_settled(self) -> bool:
        """Whether a sweep that goes on leaves it as it is."""
        return self.status in SETTLED

    @property
    def label(self) -> str:
        """Its budget and settings in a few words.

        >>> Row(0, None, 0, budget_sram_bytes=4096, budget_macs=40000).label
        'SRAM 4,096 B, 40,000 MACs'
        """
        return ", ".join(self._parts())

    @property
    def title(self) -> str:
        """What it is asked for, in a line.

        >>> Row(0, "nucleo-f446re", 2, budget_sram_bytes=4096).title
        'nucleo-f446re, SRAM 4,096 B, seed 2'
        """
        return ", ".join(part for part in (self.board, self.label, f"seed {self.seed}") if part)

    def label_beside(self, others: Iterable[Row]) -> str:
        """Return what of the label tells it from others, the whole of it where nothing does."""
        shared = set(self._parts())
        for other in others:
            shared &= set(other._parts())
        return ", ".join(part for part in self._parts() if part not in shared) or self.label

    def _parts(self) -> list[str]:
        written = {
            "sram": lambda value: f"SRAM {format_bytes(value)}",
            "flash": lambda value: f"flash {format_bytes(value)}",
            "macs": lambda value: f"{value:,} MACs",
            "latency": lambda value: format_milliseconds(value / 1000),
        }
        parts = [written[name](limit) for name, limit in self.limits.items()]
        return parts + [f"{key.split('.', 1)[1]}={value}" for key, value in self.varied.items()]

    def to_json(self) -> dict[str, Any]:
        """Return the attributes by name, ``settings`` as a mapping."""
        return {**dataclasses.asdict(self), "settings": self.varied}


def written_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as the rows keep them: JSON, sorted, so that equal ones are equal texts."""
    return json.dumps(settings, sort_keys=True)
