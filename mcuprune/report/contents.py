"""All that a report says, apart from how it is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mcuprune.report.comparison import ComparisonRow
from mcuprune.report.doubts import Doubt
from mcuprune.report.history import Training
from mcuprune.report.layer_widths import LayerWidth
from mcuprune.report.occupancy import Arena
from mcuprune.units import format_milliseconds


def written_limit(value: int, unit: str) -> str:
    """Write a number of a budget's unit; microseconds as milliseconds.

    >>> written_limit(1632, "B"), written_limit(956, "us"), written_limit(4488, "MACs")
    ('1,632 B', '0.956 ms', '4,488')
    """
    if unit == "us":
        return format_milliseconds(value / 1_000)
    return f"{value:,} {unit}".removesuffix(" MACs")


@dataclasses.dataclass(frozen=True)
class Limit:
    """A resource that the budget limits.

    Attributes:
        name: ``"sram"``, ``"flash"``, ``"macs"`` or ``"latency"``.
        label: What to call it.
        required: What the model needs, in ``unit``.
        available: What the budget allows.
        unit: ``"B"``, ``"MACs"`` or ``"us"``.
        origin: Where ``required`` comes from.
        note: What the number holds, where that is not plain.
    """

    name: str
    label: str
    required: int
    available: int
    unit: str
    origin: str
    note: str = ""

    @property
    def spare(self) -> int:
        """What is left; negative where the budget is exceeded."""
        return self.available - self.required

    @property
    def margin(self) -> str:
        """What is left or missing, in words."""
        if self.unit == "MACs":
            return f"{abs(self.spare):,} MACs"
        name = {"sram": "SRAM"}.get(self.name, self.name)
        return f"{written_limit(abs(self.spare), self.unit)} of {name}"


@dataclasses.dataclass(frozen=True)
class ArenaOf:
    """The arena of one of the models.

    Attributes:
        title: Which model.
        arena: What lies where in it.
        counted: Whose memory was counted, as a sentence.
    """

    title: str
    arena: Arena
    counted: str


@dataclasses.dataclass(frozen=True)
class OperatorCost:
    """What one operator costs.

    Attributes:
        index: Position in the execution order.
        kind: TFLite's name of the operator.
        output: Name of what it writes.
        shape: Shape of that, without the batch.
        macs: Multiply-accumulates, predicted.
        weights_bytes: Bytes of its constants in the file.
        working_set_bytes: Bytes in SRAM while it runs, predicted.
        cycles: Predicted cycles, None where not known.
        is_peak: Whether it has the largest working set.
    """

    index: int
    kind: str
    output: str
    shape: tuple[int, ...]
    macs: int
    weights_bytes: int
    working_set_bytes: int
    cycles: int | None
    is_peak: bool


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How often each class was taken for each other one on the test set.

    Attributes:
        label: Who answered.
        origin: What executed it.
        counts: A row per true class, a column per answer.
        classes: What the classes are called, in the order of their numbers; empty if unknown.
    """

    label: str
    origin: str
    counts: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        """Answers that are right."""
        return sum(row[index] for index, row in enumerate(self.counts))

    @property
    def total(self) -> int:
        """Answers in all."""
        return sum(map(sum, self.counts))


@dataclasses.dataclass(frozen=True)
class LinkedFile:
    """A file of the deployment.

    Attributes:
        name: Relative to the page.
        purpose: What it is for.
        size_bytes: Its size.
    """

    name: str
    purpose: str
    size_bytes: int


@dataclasses.dataclass(frozen=True)
class Report:
    """A report on a run, a deployment or a file. What is not known is empty or None.

    Attributes:
        title: What it is about.
        model: Name of the model.
        facts: Names and values of what else characterises it.
        verdict: ``"fits"``, ``"exceeds"`` or None without a budget.
        limits: What the budget limits.
        limited_by: The sentence that names what limits the model.
        comparison: Numbers before and after.
        has_reference: Whether there is a before.
        sram_budget_bytes: Limit on the arena.
        arenas: Of the pruned model, then of the reference.
        widths: Channels of each layer.
        trainings: Epoch by epoch.
        operators: In execution order.
        cycles_for: The board and the runtime that cycles are predicted for, None where not known.
        confusions: In float, then in int8.
        simulation: What ``mcuprune simulate --json`` prints.
        doubts: Reasons to look twice before the model is shipped.
        notes: Sentences that qualify the numbers.
        files: Files of the deployment.
    """

    title: str
    model: str
    facts: tuple[tuple[str, str], ...]
    verdict: str | None
    limits: tuple[Limit, ...]
    limited_by: str | None
    comparison: tuple[ComparisonRow, ...]
    has_reference: bool
    sram_budget_bytes: int | None
    arenas: tuple[ArenaOf, ...]
    widths: tuple[LayerWidth, ...]
    trainings: tuple[Training, ...]
    operators: tuple[OperatorCost, ...]
    cycles_for: str | None
    confusions: tuple[Confusion, ...]
    simulation: Mapping[str, Any] | None
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...]
    files: tuple[LinkedFile, ...]

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        if self.verdict is None:
            return "No budget was given"
        return "Fits the budget" if self.verdict == "fits" else "Exceeds the budget"

    @property
    def margins(self) -> str | None:
        """By how much each limit is exceeded; if none is, how much the tightest one leaves."""
        if not self.limits:
            return None
        over = [limit.margin for limit in self.limits if limit.spare < 0]
        if over:
            return f"{' and '.join(over)} too many."
        tightest = max(self.limits, key=lambda limit: limit.required / limit.available)
        return f"{tightest.margin} to spare at the tightest limit."

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {"headline": self.headline, **dataclasses.asdict(self)}
