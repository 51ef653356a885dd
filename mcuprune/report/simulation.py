"""A simulation as a table, every number with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

# Functions that are named; the rest take little.
_NAMED_FUNCTIONS = 5


def simulation_table(report: Mapping[str, Any]) -> Table:
    """Return answers, instructions, time and memories of a simulated board.

    Args:
        report: What ``mcuprune simulate --json`` prints.
    """
    table = Table(box=SIMPLE)
    table.add_column(f"{report['board']}, {report['runtime']}", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("origin")
    for label, value, limit in simulation_rows(report):
        table.add_row(label, value, limit, "simulated")
    return table


def simulation_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what each number is, the number, and what it is a part of; all simulated.

    Args:
        report: What ``mcuprune simulate --json`` prints.
    """
    if report["fault"] is None:
        reference = {"litert": "LiteRT", "tflm": "TFLM"}[report["reference"]]
        exact, inputs = report["inputs_bit_exact"], report["inputs"]
        yield f"inputs answered as by {reference}", f"{exact:,}", f"{inputs:,}"
        yield "instructions per inference", f"{report['instructions_per_inference']:,}", ""
    if report["latency_ms"] is not None:
        yield "latency, estimated", f"{report['latency_ms']:,.2f} ms", ""
    for label, key, limit_key in (
        ("arena touched", "arena_bytes", "arena_reserved_bytes"),
        ("stack of an inference", "stack_bytes", None),
        ("SRAM: arena, variables, stack", "sram_bytes", "sram_available_bytes"),
        ("flash", "flash_bytes", "flash_available_bytes"),
    ):
        if report[key] is not None:
            limit = "" if limit_key is None else f"{report[limit_key]:,} B"
            yield label, f"{report[key]:,} B", limit


def simulation_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what was built and simulated, where the time goes, and what went wrong.

    Args:
        report: What ``mcuprune simulate --json`` prints.
    """
    provenance = report["provenance"]
    lines = []
    if report["fault"] is not None:
        lines.append(f"It does not run: {report['fault']}.")
    elif report["bytes_differing"]:
        lines.append(f"{report['bytes_differing']:,} bytes of answers differ.")
    if provenance["machine"]:
        lines.append(f"Machine: {provenance['machine']}. Built with {provenance['built_with']}.")
    if provenance["latency_ms"]:
        lines.append(f"Latency from {provenance['latency_ms']}.")
    if report["functions"]:
        lines.append(f"Most instructions: {_busiest(report)}.")
    if report["reference_note"]:
        lines.append(f"Compared with TFLM on the host: {report['reference_note']}.")
    return lines


def simulated_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what the simulated board of a run did, if there was one.

    Args:
        report: What ``report.json`` of a run or a deployment holds.
    """
    found = report.get("simulation")
    if found is None:
        return []
    if found["fault"] is not None:
        return [f"On a simulated {found['board']} it does not run: {found['fault']}."]
    time = f", {found['latency_ms']:,.2f} ms" if found["latency_ms"] is not None else ""
    return [
        f"On a simulated {found['board']} generated C answers {found['inputs_bit_exact']:,} of "
        f"{found['inputs']:,} inputs bit for bit: {found['instructions_per_inference']:,} "
        f"instructions{time}, {found['sram_bytes']:,} B of SRAM, {found['flash_bytes']:,} B of "
        "flash (simulated)."
    ]


def _busiest(report: Mapping[str, Any]) -> str:
    total = sum(function["instructions"] for function in report["functions"])
    return ", ".join(
        f"{function['name']} {function['instructions'] / total:.0%}"
        for function in report["functions"][:_NAMED_FUNCTIONS]
    )
