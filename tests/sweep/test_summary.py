from __future__ import annotations

import dataclasses
import json

import pytest
from rich.console import Console
from trial_rows import finished

import mcuprune
from mcuprune.errors import InputError
from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.live import front_table
from mcuprune.sweep.row import STOPPED


@pytest.fixture
def summary(tmp_path):
    folder = SweepFolder(tmp_path)
    folder.begin(load_recipe("digits", ["sweep.seeds=3"]), resume=False)
    rows = [finished(0, 0.90, 4000), finished(1, 0.94, 4000, seed=1), finished(2, 0.5, 1000)]
    stopped = dataclasses.replace(
        finished(3, 0.1, 4000, seed=2), status=STOPPED, accuracy=None, message="after epoch 3"
    )
    folder.results.put([*rows, stopped])
    return mcuprune.results_summary(tmp_path)


def test_front_counts_and_seeds(summary):
    assert [row.trial for row in summary.front] == [1, 2]
    assert summary.counts == {"finished": 3, "stopped": 1}
    assert str(summary.configurations[0]) == "mean 92.00% over 2 of 3 seeds, 90.00% to 94.00%"
    assert summary.deployment(1) == summary.folder / "trials" / "0001" / "deployment"


def test_printed(summary):
    text = repr(summary)
    assert "94.00%" in text
    assert "4 trials: 3 finished, 1 stopped." in text
    assert "Trial 3 stopped: after epoch 3" in text
    assert "<table>" in summary._repr_html_()
    # A trial is told by what it does not share with the others; no column for boards not asked for.
    front, _ = text.split("Seeds")
    (line,) = [line for line in front.splitlines() if "94.00%" in line]
    assert line.split() == ["1", "1", "SRAM", "4,000", "B", "94.00%", "4,000", "10,000", "1,000"]
    assert "board" not in front


def test_boards_are_told_where_there_are_some():
    rows = [
        finished(0, 0.9, 4000, board="nucleo-f446re", latency_ms=9.0),
        finished(1, 0.8, 3000, board="nucleo-l4r5zi", latency_ms=8.0, budget_sram_bytes=4000),
    ]
    table = front_table(rows[:1], rows)
    console = Console(width=120)
    with console.capture() as printed:
        console.print(table)
    headings, line = [line for line in printed.get().splitlines() if "0" in line or "int8" in line]
    assert "board" in headings
    assert "nucleo-f446re" in line
    assert "9 ms" in line


def test_json(summary):
    told = json.loads(json.dumps(summary.to_json()))
    assert told["front"] == [1, 2]
    assert told["trials"][3]["status"] == "stopped"


def test_no_sweep(tmp_path):
    with pytest.raises(InputError, match="holds no sweep"):
        mcuprune.results_summary(tmp_path)
