from __future__ import annotations

import dataclasses
import json

from rich.console import Console

from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.front import Costs
from mcuprune.sweep.grid import grid
from mcuprune.sweep.ledger import Ledger, taken_up
from mcuprune.sweep.live import LiveView, seconds_left
from mcuprune.sweep.row import FAILED, FINISHED, INFEASIBLE, RUNNING, STOPPED, WAITING
from mcuprune.sweep.trial import RESULT_FILE, Epoch

RECIPE = load_recipe("digits", ["sweep.sram=[3KiB, 4KiB]", "sweep.seeds=3"])


def write_curve(place, *values):
    (place / "pruned").mkdir(parents=True, exist_ok=True)
    lines = [f"{epoch},{value},1.0" for epoch, value in enumerate(values)]
    text = "\n".join(["epoch,val_accuracy,seconds", *lines])
    (place / "pruned" / "history.csv").write_text(text + "\n")


def write_end(folder, row, **end):
    place = folder.trial(row)
    place.mkdir(parents=True, exist_ok=True)
    told = dataclasses.asdict(dataclasses.replace(row, **end))
    (place / RESULT_FILE).write_text(json.dumps(told))


def reached(row, accuracy):
    costs = {"peak_sram_bytes": row.budget_sram_bytes, "flash_bytes": 9000, "macs": 500}
    return {"status": FINISHED, "accuracy": accuracy, **costs}


def swept(tmp_path, margin=0.01):
    folder, rows = SweepFolder(tmp_path), grid(RECIPE)
    return folder, rows, Ledger(folder, rows, margin)


def run_to_end(folder, ledger, row, accuracy):
    ledger.begin(row)
    write_curve(folder.trial(row), accuracy - 0.1, accuracy)
    write_end(folder, row, **reached(row, accuracy))
    return ledger.end(row.trial)


def test_the_table_follows_the_trials(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    assert [row.status for row in folder.results.rows()] == [WAITING] * 6
    ledger.begin(rows[0])
    assert folder.results.rows()[0].status == RUNNING
    assert run_to_end(folder, ledger, rows[0], 0.9).on_front == 1
    # As large and better: the first is pushed off the front, in the table too.
    run_to_end(folder, ledger, rows[2], 0.95)
    assert [row.on_front for row in folder.results.rows()] == [0, 0, 1, 0, 0, 0]


def test_a_hopeless_trial_is_stopped_and_says_why(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    for number in (0, 2, 4):
        run_to_end(folder, ledger, rows[number], 0.9)
    ledger.begin(rows[1])
    write_curve(folder.trial(rows[1]), 0.3)
    least = Costs(rows[1].budget_sram_bytes, 9000, 500)
    # Gains are 0.1 after one epoch: 0.3 + 0.1 + 0.01 lies below 0.9.
    assert ledger.epoch(1, Epoch(1, 2, 0.3, None)) is None
    found = ledger.epoch(1, Epoch(1, 2, 0.3, least))
    assert found is not None
    end = ledger.end(1)
    assert (end.status, end.epochs, end.val_accuracy) == (STOPPED, 1, 0.3)
    assert end.message.startswith("after epoch 1: trial 0 needs no more of anything and reaches 90")


def test_never_means_never(tmp_path):
    folder, rows, ledger = swept(tmp_path, margin=None)
    for number in (0, 2, 4):
        run_to_end(folder, ledger, rows[number], 0.9)
    ledger.begin(rows[1])
    assert ledger.epoch(1, Epoch(1, 2, 0.0, Costs(4096, 9000, 500))) is None


def test_ends_without_a_deployment(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    ledger.begin(rows[0])
    write_end(folder, rows[0], status=INFEASIBLE, message="too little")
    assert ledger.end(0).status == INFEASIBLE
    ledger.begin(rows[1])
    write_end(folder, rows[1], status=FAILED, message="diverged")
    assert (ledger.end(1).status, ledger.row(1).message) == (FAILED, "diverged")
    ledger.begin(rows[2])
    assert ledger.fail(2, "its process died").message == "its process died"
    assert front_is_empty(folder)


def front_is_empty(folder):
    return not any(row.on_front for row in folder.results.rows())


def test_what_a_killed_sweep_takes_up(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    run_to_end(folder, ledger, rows[0], 0.9)
    for row in rows[1:4]:
        ledger.begin(row)
    # The worker was faster than the death of the sweep; another has failed.
    write_end(folder, rows[1], **reached(rows[1], 0.92))
    write_end(folder, rows[2], status=FAILED, message="diverged")
    (folder.trial(rows[3]) / "pruned").mkdir(parents=True)
    taken = taken_up(folder.results.rows(), folder)
    assert [row.status for row in taken] == [FINISHED, FINISHED, *[WAITING] * 4]
    assert not (folder.trial(rows[2]) / RESULT_FILE).exists()


def test_a_result_of_another_trial_is_none(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    ledger.begin(rows[0])
    write_end(folder, rows[0], **reached(rows[0], 0.9), seed=7)
    assert ledger.end(0).status == FAILED


def test_the_time_left_is_that_of_the_trials_seen(tmp_path):
    _, rows, ledger = swept(tmp_path)
    assert seconds_left(ledger, 6, 2, now=0.0) is None
    ledger.ended_seconds += [10.0, 30.0]
    ledger.began = {0: 90.0, 1: 40.0}
    ledger.begin(rows[0])
    # Six of 20 s, of which one has run 10 s and one longer than foreseen, two at once.
    assert seconds_left(ledger, 6, 2, now=100.0) == (6 * 20 - 10 - 20) / 2


def test_lines_and_tables(tmp_path):
    folder, rows, ledger = swept(tmp_path)
    console = Console(file=(tmp_path / "out.txt").open("w+"), width=140)
    with LiveView(ledger, 6, 2, console) as view:
        ledger.begin(rows[1])
        ledger.epoch(1, Epoch(3, 8, 0.5, None))
        end = run_to_end(folder, ledger, rows[0], 0.9)
        view.ended(end)
        console.print(view.tables())
    console.file.seek(0)
    said = console.file.read()
    assert (
        "trial 0 (SRAM 3,072 B, flash 10,864 B, 40,000 MACs, seed 0) finished: int8 90.00%" in said
    )
    assert "1 running, 1 finished, 4 waiting, of 6" in said
    assert "3/8" in said
    assert "Front so far" in said


def test_a_trial_of_a_search_is_in_the_table_before_it_begins(tmp_path):
    folder = SweepFolder(tmp_path)
    ledger = Ledger(folder, [], None)
    first, second = grid(RECIPE)[:2]
    ledger.plan(first)
    ledger.plan(second)
    ledger.begin(second)
    ledger.plan(second)
    assert [row.status for row in folder.results.rows()] == [WAITING, RUNNING]
