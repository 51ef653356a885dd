"""Sweeps on real Ray workers, whose processes are killed; they end as if undisturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mcuprune.recipes.run import run_recipe
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.grid import trial_recipe
from mcuprune.sweep.row import FINISHED, INFEASIBLE, RUNNING

pytest.importorskip("ray", reason="comes with the extra sweep")

ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
# A cut at the ends of epochs 2 and 3.
SHORT = (
    "training.epochs=5",
    "pruning.start_epoch=1",
    "pruning.end_epoch=3",
    "pruning.options.cuts=2",
    "reference.epochs=1",
    "validate.board=null",
)
NEW = ("digits", *(word for each in SHORT for word in ("--set", each)))


def command(*words):
    return [sys.executable, "-m", "mcuprune", "sweep", *map(str, words)]


def started(folder, *words):
    """Start a sweep; what it says goes to a file beside its folder."""
    with folder.with_suffix(".log").open("a") as log:
        return subprocess.Popen(
            command(*words),
            stdout=log,
            stderr=log,
            env=ENVIRONMENT,
            # Shells let what they start in the background ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def said(folder):
    return folder.with_suffix(".log").read_text()


def epochs(folder, trial):
    path = folder / "trials" / f"{trial:04d}" / "pruned" / "history.csv"
    return len(path.read_text().splitlines()) - 1 if path.is_file() else 0


def wait_until(process, is_so):
    while not is_so():
        assert process.poll() is None, "the sweep has ended before"
        time.sleep(0.002)


def worker_of(folder, trial):
    """Return the process that writes the log of a trial."""
    log = folder / "trials" / f"{trial:04d}" / "log.txt"
    for place in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            if place.readlink() == log:
                return int(place.parts[2])
        except OSError:
            continue
    return None


def statuses(folder):
    return [row.status for row in SweepFolder(folder).results.rows()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the worker's process in /proc")
def test_a_killed_worker_and_a_killed_driver(tmp_path):
    folder = tmp_path / "sweep"
    new = (*NEW, "--sram", "3032,3500", "--workers", "1", "--out", folder)
    with started(folder, *new) as process:
        wait_until(process, lambda: epochs(folder, 0) >= 2)
        os.kill(worker_of(folder, 0), signal.SIGKILL)
        wait_until(process, lambda: epochs(folder, 1) >= 2)
        process.kill()
    log = [folder / "trials" / f"{trial:04d}" / "log.txt" for trial in (0, 1)]
    assert "the training resumes at epoch" in log[0].read_text()
    assert statuses(folder) == [FINISHED, RUNNING]
    deployed = (folder / "trials/0000/deployment/model.tflite").stat().st_mtime_ns
    with started(folder, folder, "--resume", "--workers", "1") as process:
        assert process.wait() == 0, said(folder)
    assert statuses(folder) == [FINISHED, FINISHED]
    # What was finished is not touched, what was running has gone on.
    assert (folder / "trials/0000/deployment/model.tflite").stat().st_mtime_ns == deployed
    assert "the training resumes at epoch" in log[1].read_text()
    assert log[1].read_text().count("epoch 1/5") == 1
    place = SweepFolder(folder)
    for row in place.results.rows():
        undisturbed = tmp_path / f"undisturbed{row.trial}"
        outcome = run_recipe(trial_recipe(place.recipe(), row), undisturbed)
        ours = place.trial(row) / "deployment" / "model.tflite"
        assert ours.read_bytes() == (undisturbed / "deployment" / "model.tflite").read_bytes()
        assert row.accuracy == outcome.report["accuracy"]["int8"]
        assert row.peak_sram_bytes == outcome.report["resources"]["pruned"]["peak_sram_bytes"]
    # The reference was trained once.
    assert len(list((folder / "references").iterdir())) == 1
    assert "reference: taken from" in log[0].read_text()


@pytest.mark.slow
def test_ctrl_c_and_a_trial_that_no_network_meets(tmp_path):
    folder = tmp_path / "sweep"
    new = (*NEW, "--sram", "1000,3032", "--seeds", "1", "--workers", "1", "--out", folder)
    with started(folder, *new) as process:
        wait_until(process, lambda: epochs(folder, 1) >= 1)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert f"1 trials are done and kept in {folder}" in said(folder)
    assert f"mcuprune sweep {folder} --resume" in said(folder)
    assert statuses(folder) == [INFEASIBLE, RUNNING]
    assert "Traceback" not in said(folder)
    with started(folder, folder, "--resume") as process:
        assert process.wait() == 0, said(folder)
    assert statuses(folder) == [INFEASIBLE, FINISHED]
    assert (folder / "pareto.html").is_file()
    assert not (folder / "ray").exists()
