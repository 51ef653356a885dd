import csv

import pytest

from mcuprune.cost.memory import (
    arena_head,
    arena_plan,
    arena_tail,
    arena_total,
    largest_working_set,
    live_tensors,
    working_sets,
)
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.planner.validate import validate_plan


def test_working_sets_of_a_residual_block(residual):
    # x and c; x, c and s; s, m and the scratch of MEAN (4*4, 4*4 and 2*4 B); m and y
    assert working_sets(residual) == [512, 768, 256 + 16 + 16 + 16 + 16, 16 + 16]
    assert largest_working_set(residual) == 768
    assert live_tensors(residual)[1] == [("x", 256), ("c", 256), ("s", 256)]
    assert [name for name, _ in live_tensors(residual)[2]] == ["s", "m"] + ["scratch"] * 3


def test_head_is_a_valid_plan(residual):
    plan = arena_plan(residual)
    validate_plan(plan)
    assert arena_head(residual) == plan.size_bytes == 768


def test_total_is_head_and_tail(residual):
    assert arena_total(residual) == arena_head(residual) + arena_tail(residual)


@pytest.mark.parametrize(
    ("file", "working_set", "head"),
    [
        ("pretrainedResnet_quant", 49_152, 49_152),
        ("kws_ref_model", 16_000, 16_000),
        ("ad01_int8", 768, 768),
        ("vww_96_int8", 55_296, 73_728),
    ],
)
def test_mlperf_tiny(shared, file, working_set, head):
    graph = read_tflite(shared / "models/mlperf_tiny" / f"{file}.tflite")
    assert largest_working_set(graph) == working_set
    assert arena_head(graph) == head


# The signal library's custom operators have no entry in the table.
UNKNOWN_KERNELS = "tflm/audio_preprocessor_int8.tflite"


def test_head_and_tail_equal_every_measured_arena(shared):
    """A plain MicroInterpreter of the 2026-08 sources, built and run on a 64-bit host."""
    with (shared / "tables/tflm_reference.csv").open() as table:
        measured = [row for row in csv.DictReader(table) if row["host64_arena_bytes"]]
    wrong = {}
    for row in measured:
        graph = read_tflite(shared / "models" / row["model"])
        head, total = int(row["head_bytes"]), int(row["host64_arena_bytes"])
        found = arena_head(graph), arena_tail(graph, runtime="tflm-reference-plain")
        if found != (head, total - head):
            wrong[row["model"]] = found
    assert len(measured) > 50
    assert set(wrong) <= {UNKNOWN_KERNELS}
