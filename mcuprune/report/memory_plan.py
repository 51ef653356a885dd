"""What a memory plan saves, in words and one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table


def plan_table(plan: Mapping[str, Any]) -> Table:
    """Return the arena's head by TFLM's own plan and by the one in the file.

    Args:
        plan: What ``mcuprune optimize --json`` prints.
    """
    table = Table("arena head", box=SIMPLE)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("origin")
    heads, tflm = plan["arena_head_bytes"], plan["tflm"]
    table.add_row("before", f"{heads['before']:,} B", "planned")
    table.add_row("after", f"{heads['after']:,} B", "planned")
    if tflm is not None:
        table.add_row("before", f"{tflm['head_before_bytes']:,} B", "interpreter (TFLM)")
        table.add_row("after", f"{tflm['head_after_bytes']:,} B", "interpreter (TFLM)")
    for name, head in plan["other_runtimes"].items():
        if head["before"] != head["after"]:
            table.add_row(f"before, {name}", f"{head['before']:,} B", "planned")
            table.add_row(f"after, {name}", f"{head['after']:,} B", "planned")
    proof = "no plan is smaller" if plan["proven"] else "no plan is below this"
    table.add_row("lower bound", f"{plan['lower_bound_bytes']:,} B", proof)
    return table


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """Say what the plan changes in the file, or why it changes nothing.

    Args:
        plan: What ``mcuprune optimize --json`` prints.
    """
    if not plan["changed"]:
        return [f"The file stays as it is: {plan['note']}."]
    lines = [_gain(plan)]
    if plan["reordered"]:
        lines.append("The operators run in another order.")
    if plan["in_place_tensors"]:
        lines.append(f"{plan['in_place_tensors']} tensors lie in the place of another.")
    if plan["tflm"] is not None:
        lines.append(
            f"TFLM's outputs are byte for byte the same on {plan['tflm']['inputs']} random inputs."
        )
    return [*lines, f"{plan['note']}."] if plan["note"] else lines


def _gain(plan: Mapping[str, Any]) -> str:
    size = f"the file has {plan['tflite_bytes']:,} B"
    if plan["saved_bytes"]:
        return f"The arena shrinks by {plan['saved_bytes']:,} B; {size}."
    gains = [
        f"{head['before'] - head['after']:,} B with {name}"
        for name, head in plan["other_runtimes"].items()
        if head["before"] > head["after"]
    ]
    return f"The arena shrinks by {', '.join(gains)}, not with {plan['runtime']}; {size}."


def saved_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what the memory plan of a deployed file saves, if it has one.

    Args:
        report: What ``report.json`` of a run or a deployment holds.
    """
    plan = report.get("memory_plan")
    if plan is None or not plan["changed"]:
        return []
    heads = plan["arena_head_bytes"]
    return [
        f"The file carries a memory plan: the arena's head is {heads['after']:,} B instead of "
        f"{heads['before']:,} B, {plan['saved_bytes']:,} B less."
    ]
