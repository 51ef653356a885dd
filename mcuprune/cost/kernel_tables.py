"""Tables of what the parts of kernels take: one file per core and kernel library."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from mcuprune import catalogue
from mcuprune.cost.cmsis_nn_helium_loops import cmsis_nn_helium_loops
from mcuprune.cost.cmsis_nn_loops import cmsis_nn_loops
from mcuprune.cost.loops import Loops
from mcuprune.cost.plain_loops import plain_loops
from mcuprune.ir.graph import Graph, Operator

TABLES_FOLDER = "cost_models/kernels/latency"
# Part of every kernel: being called at all.
CALL = "call"

# What kernels of each library run through; None where it falls back on plain loops.
LIBRARIES: Mapping[str, Callable[[Graph, Operator], Loops | None]] = {
    "cmsis-nn": cmsis_nn_loops,
    "cmsis-nn-c": cmsis_nn_loops,
    "cmsis-nn-mve": cmsis_nn_helium_loops,
    "esp-nn": plain_loops,
    "reference": plain_loops,
}


@dataclasses.dataclass(frozen=True)
class KernelTable:
    """What the kernels of a library take on a core.

    Attributes:
        name: Name of the file.
        core: The core that the numbers hold for, of which others may be close.
        library: Which loops the kernels run: ``"cmsis-nn"`` or ``"reference"``.
        origin: ``"measured"``, ``"published"`` or ``"inferred"``.
        source: Where the numbers come from.
        inference: Instructions per inference, besides its operators.
        operator: Instructions per operator, besides its kernel.
        kernels: Instructions per run of each part of each kernel.
    """

    name: str
    core: str
    library: str
    origin: str
    source: str
    inference: float
    operator: float
    kernels: Mapping[str, Mapping[str, float]]

    def loops(self, graph: Graph, operator: Operator) -> Loops:
        """Return the loops that an operator runs through in this library."""
        return LIBRARIES[self.library](graph, operator) or plain_loops(graph, operator)


@functools.cache
def load_table(name: str) -> KernelTable:
    """Return a table of ``cost_models/kernels/latency``.

    Raises:
        UnknownNameError: No such table; names the nearest.
    """
    path = catalogue.find(TABLES_FOLDER, name, "latency table")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    fields: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
    return KernelTable(
        name=name,
        core=fields["core"],
        library=fields["library"],
        origin=fields["origin"],
        source=fields["source"],
        inference=fields["overhead"]["inference"],
        operator=fields["overhead"]["operator"],
        kernels=fields["kernels"],
    )
