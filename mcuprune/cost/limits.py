"""One sentence that names what limits a model: which operator, which tensors."""

from __future__ import annotations

from mcuprune.budget import Budget
from mcuprune.cost.resources import OperatorResources, Resources
from mcuprune.cost.verdict import compare
from mcuprune.units import format_bytes


def limiting_sentence(resources: Resources, budget: Budget) -> str:
    """Name the resource closest to its limit (or furthest over it) and what it goes to.

    Args:
        resources: What the model needs.
        budget: What is allowed.
    """
    row = max(compare(resources, budget).rows, key=lambda row: row.required / row.available)
    share = f"{row.required / row.available:.0%} of the budget"
    if not resources.operators:
        return f"{row.name} limits the model ({share}), which has no operators."
    if row.name == "sram":
        return _sram(resources, share)
    if row.name == "flash":
        largest = max(resources.operators, key=lambda op: op.weights_bytes)
        return (
            f"Flash limits the model ({share}): {_title(largest)} holds most, "
            f"{format_bytes(largest.weights_bytes)} of {format_bytes(resources.flash_bytes)}."
        )
    if row.name == "latency":
        slowest = max(resources.operators, key=lambda op: op.cycles or 0)
        return (
            f"Latency limits the model ({share}): {_title(slowest)} takes most, "
            f"{slowest.cycles or 0:,} of {resources.cycles or 0:,} cycles."
        )
    busiest = max(resources.operators, key=lambda op: op.macs)
    return (
        f"MACs limit the model ({share}): {_title(busiest)} takes most, "
        f"{busiest.macs:,} of {resources.macs:,}."
    )


def _sram(resources: Resources, share: str) -> str:
    assert resources.peak_operator is not None
    peak = resources.operators[resources.peak_operator]
    tensors = ", ".join(
        f"{first_name(t.name)} ({format_bytes(t.bytes)})" for t in peak.live_tensors
    )
    return (
        f"SRAM limits the model ({share}): {_title(peak)} holds the peak of "
        f"{format_bytes(peak.working_set_bytes)} with {tensors}; TFLM's plan takes "
        f"{format_bytes(resources.arena_head_bytes)} and its structures "
        f"{format_bytes(resources.arena_tail_bytes)}."
    )


def _title(operator: OperatorResources) -> str:
    return f"operator {operator.index} ({operator.kind})"


def first_name(name: str) -> str:
    """Return the first of the layer names that the converter joins for a fused operator.

    >>> first_name("conv/Relu;conv/BiasAdd")
    'conv/Relu'
    """
    return name.split(";")[0]
