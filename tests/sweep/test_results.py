from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from trial_rows import finished

from mcuprune.errors import InputError
from mcuprune.sweep.results import Results


def test_rows_come_back_as_they_were(tmp_path):
    results = Results(tmp_path / "results.sqlite")
    assert results.rows() == []
    rows = [finished(0, 0.9, 4000, board="a", latency_ms=2.5), finished(1, 0.8, 3000)]
    results.put(reversed(rows))
    assert results.rows() == rows
    results.put([dataclasses.replace(rows[0], message="again")])
    assert [row.message for row in results.rows()] == ["again", ""]


def test_pandas_reads_it(tmp_path):
    pandas = pytest.importorskip("pandas", reason="comes with the extra sweep")
    Results(tmp_path / "results.sqlite").put([finished(0, 0.9, 4000), finished(1, 0.8, 3000)])
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        table = pandas.read_sql("SELECT * FROM trials", database, index_col="trial")
    assert table.accuracy.tolist() == [0.9, 0.8]
    assert table.peak_sram_bytes.max() == 4000


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "results.sqlite"
    path.write_text("no database, but long enough to be looked at as one" * 40)
    with pytest.raises(InputError, match="no table of trials"):
        Results(path).rows()


def test_killed_while_writing_leaves_whole_transactions(tmp_path):
    path = tmp_path / "results.sqlite"
    script = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from mcuprune.sweep.results import Results
from trial_rows import finished
results = Results(Path(sys.argv[1]))
for count in range(10_000):
    results.put([finished(number, count / 10_000, 4000) for number in range(50)])
    print(count, flush=True)
"""
    here = str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path), here], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.kill()
    rows = Results(path).rows()
    assert len(rows) == 50
    assert len({row.accuracy for row in rows}) == 1
