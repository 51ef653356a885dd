"""Tables: what they hold, and that an excess is shown."""

from __future__ import annotations

import dataclasses
import io

from rich.console import Console

from mcuprune.budget import Budget
from mcuprune.cost.resources import estimate
from mcuprune.cost.verdict import compare
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.report.summary import agreement_sentence, arena_lines, verdict_lines
from mcuprune.report.table import operators_table, resources_table, run_table, verdict_table


def text(table) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return console.file.getvalue()


def cells(table, word: str) -> list[str]:
    return next(line.split() for line in text(table).splitlines() if word in line)


def dense_graph() -> Graph:
    """A fully connected layer, 16 features to 4."""
    tensors = (
        Tensor("in", (1, 16)),
        Tensor("kernel", (4, 16), is_constant=True),
        Tensor("bias", (4,), bits=32, dtype="int32", is_constant=True),
        Tensor("out", (1, 4)),
    )
    operators = (Operator(0, "FULLY_CONNECTED", (0, 1, 2), (3,)),)
    return Graph("dense", tensors, operators, inputs=(0,), outputs=(3,), file_bytes=1234)


def test_resources():
    table = resources_table(estimate(dense_graph()))
    assert cells(table, "MACs") == ["MACs", "64", "predicted"]
    assert cells(table, "parameters") == ["parameters", "68", "predicted"]
    assert cells(table, "flash")[-3:] == ["1,234", "B", "file"]
    assert cells(table, "arena head")[2:4] == ["32", "B"]


def test_operators_mark_the_peak():
    row = cells(operators_table(estimate(dense_graph())), "FULLY_CONNECTED")
    # 64 weights and four biases of 4 B; input and output take 16 B each.
    # The runtime of the Python package keeps 72 B of data and 32 B of options.
    assert row == ["0", "FULLY_CONNECTED", "64", "80", "32", "0", "104", "peak"]


def test_verdict_shows_the_excess():
    table = verdict_table(compare(estimate(dense_graph()), Budget(flash=1000, macs=64)))
    assert "does not fit" in text(table)
    assert cells(table, "flash") == ["flash", "1,234", "B", "1,000", "B", "234", "B"]
    assert cells(table, "macs")[-2:] == ["0", "MACs"]


def test_verdict_says_what_allocating_takes():
    resources = dataclasses.replace(estimate(dense_graph()), arena_smallest_bytes=2000)
    used = resources.peak_sram_bytes
    assert used < 1990
    fits = compare(resources, Budget(sram=1990))
    assert fits.fits
    assert "to allocate it takes 2,000 B" in fits.rows[0].note
    assert fits.to_json()["sram"]["note"] == fits.rows[0].note
    # Enough for both, and not even enough to run.
    assert compare(resources, Budget(sram=2000)).rows[0].note == ""
    assert compare(resources, Budget(sram=used - 1)).rows[0].note == ""


def run_report() -> dict:
    resources = {"arena_head_bytes": 1280, "arena_total_bytes": 4496, "tflite_bytes": 31000}
    resources |= {"macs": 157_312, "params": 23946}
    resources |= {"runtime": "tflm-reference", "pointer_bits": 64}
    return {
        "budget": {"sram": 3032, "macs": 40000},
        "resources": {"reference": resources, "pruned": {**resources, "macs": 39000}},
        "accuracy": {
            "float_reference": 0.99,
            "float_pruned": 0.98,
            "int8_reference": 0.991,
            "int8": 0.975,
        },
        "arena": {
            "predicted": {"head_bytes": 320, "total_bytes": 3000},
            "used": {"head_bytes": 320, "total_bytes": 3040},
        },
        "arena_reference": {"used": {"head_bytes": 1280, "total_bytes": 4500}},
    }


def test_run_table_labels_every_number():
    lines = text(run_table(run_report())).splitlines()
    rows = [line for line in lines if "%" in line or "," in line]
    assert all(
        any(origin in row for origin in ("predicted", "interpreter", "file")) for row in rows
    )


def test_run_table_holds_prediction_and_execution_side_by_side():
    table = run_table(run_report())
    assert cells(table, "4,496")[-5:] == ["3,000", "B", "3,032", "B", "predicted"]
    assert cells(table, "4,500") == [
        *("4,500", "B", "3,040", "B", "3,032", "B"),
        *("interpreter", "(TFLM)"),
    ]
    assert cells(table, "157,312") == ["MACs", "157,312", "39,000", "40,000", "predicted"]
    assert cells(table, "int8")[2:4] == ["99.1%", "97.5%"]


def test_run_table_holds_limits_against_what_the_board_needs():
    report = run_report()
    report["budget"]["flash"] = 80_000
    for resources in report["resources"].values():
        resources |= {"runtime": "tflm-cmsis-nn", "pointer_bits": 32, "runtime_code_bytes": 50_000}
    table = run_table(report)
    on_board = [line for line in text(table).splitlines() if "on the board" in line]
    assert [line.split()[-7:] for line in on_board] == [
        ["4,496", "B", "4,496", "B", "3,032", "B", "predicted"],
        ["81,000", "B", "81,000", "B", "80,000", "B", "predicted"],
    ]
    assert cells(table, ".tflite")[-5:] == ["31,000", "B", "31,000", "B", "file"]


def test_verdict_lines_give_required_available_and_excess():
    fitting = {"required": 10, "available": 10, "excess": 0, "unit": "B"}
    over = {"required": 12, "available": 10, "excess": 2, "unit": "B"}
    assert verdict_lines({"fits": True, "sram": fitting}) == ["The budget is met."]
    assert verdict_lines({"fits": False, "sram": fitting, "flash": over}) == [
        "The budget is exceeded: flash requires 12 B, 10 B are available, 2 too many."
    ]
    assert verdict_lines(None) == []


def arena_report(budget, used_bytes=3024) -> dict:
    arena = {"counted_bytes": used_bytes, "counted_for": "host", "smallest_bytes": 3840}
    return {
        "budget": budget,
        "arena": {**arena, "headroom_percent": 10, "tensor_arena_bytes": 4224},
    }


def test_an_array_larger_than_the_budget_is_said_with_its_reason():
    (line,) = arena_lines(arena_report({"sram": 3032}))
    for part in ("uses 3,024 of", "3,032 B", "kTensorArenaSize is 4,224 B", "3,840 B", "10%"):
        assert part in line


def test_nothing_is_said_of_an_array_within_the_budget_or_of_one_exceeded_anyway():
    assert arena_lines(arena_report({"sram": 4224})) == []
    assert arena_lines(arena_report({"sram": 3032}, used_bytes=3033)) == []
    assert arena_lines(arena_report({"flash": 100})) == []
    assert arena_lines(arena_report(None)) == []


def test_agreement_sentence_has_all_counts():
    sentence = agreement_sentence(
        {
            "litert_vs_keras": 0.99,
            "litert_vs_keras_inputs": 300,
            "tflm_vs_litert_bytes": 1000,
            "tflm_vs_litert_bytes_differing": 7,
            "tflm_vs_litert_largest_difference": 2,
            "tflm_vs_litert_top1_agreement": 1.0,
            "tflm_vs_litert_inputs": 100,
        }
    )
    for part in ("99.0% of 300", "7 of 1,000 output bytes (by at most 2)", "100.0% of 100"):
        assert part in sentence
