"""Real Ray Tune with trials that only pretend to train: what it does with their ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.cluster import Workers, require_ray, running_cluster
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.grid import grid
from mcuprune.sweep.ledger import Ledger
from mcuprune.sweep.live import LiveView
from mcuprune.sweep.row import FAILED, FINISHED, INFEASIBLE, STOPPED
from mcuprune.sweep.search import make_search

pytest.importorskip("ray", reason="comes with the extra sweep")

SRAM, FLASH, MACS, EPOCHS = 3000, 9000, 500, 4
ONE_AT_ONCE = Workers(at_once=1)
# What Ray has given a trial's process.
GIVEN = "given.json"
# By its number, what a trial pretends to be.
HOPELESS, DIES_ONCE, TOO_LARGE, RAISES = 3, 4, 5, 6


def pretended(task):
    """Stand in for ``mcuprune.sweep.worker.run_trial``; runs in Ray's worker."""
    import ray
    from ray import tune

    place = Path(task["folder"])
    number = task["row"]["trial"]
    (place / "pruned").mkdir(parents=True, exist_ok=True)
    given = ray.get_runtime_context().get_assigned_resources()
    (place / GIVEN).write_text(json.dumps(given))
    if number == RAISES:
        raise RuntimeError("a fault of the program")
    end = {"status": "infeasible", "message": "too little"}
    if number != TOO_LARGE:
        train(tune, place, number)
        costs = {"peak_sram_bytes": SRAM, "flash_bytes": FLASH, "macs": MACS}
        end = {"status": "finished", "accuracy": 0.9 + number / 1000, **costs}
    (place / "result.json").write_text(json.dumps({**task["row"], **end}))


def train(tune, place, number):
    table = place / "pruned" / "history.csv"
    begun = len(table.read_text().splitlines()) - 1 if table.is_file() else 0
    if not begun:
        table.write_text("epoch,val_accuracy\n")
    for epoch in range(begun, EPOCHS):
        accuracy = 0.1 if number == HOPELESS else 0.5 + epoch / 10
        with table.open("a") as file:
            file.write(f"{epoch},{accuracy}\n")
        least = {"peak_sram_bytes": SRAM, "flash_bytes": FLASH, "macs": MACS, "latency_ms": None}
        told = {"epoch": epoch + 1, "epochs": EPOCHS, "val_accuracy": accuracy, "least": least}
        tune.report({"told": json.dumps(told)})
        if number == DIES_ONCE and not begun and epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def run(recipe, tmp_path, monkeypatch, workers=ONE_AT_ONCE):
    require_ray()
    from ray import cloudpickle

    from mcuprune.sweep import tuning

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(tuning.worker, "run_trial", pretended)
    folder = SweepFolder(tmp_path / "sweep")
    folder.begin(recipe, resume=False)
    rows = grid(recipe) if recipe.sweep.search == "grid" else []
    ledger = Ledger(folder, rows, recipe.sweep.margin)
    search = make_search(recipe, rows)
    with running_cluster(workers) as at_once:
        view = LiveView(ledger, search.trials, at_once)
        tuning.run_trials(recipe, folder, search, ledger, view, workers, at_once)
    return folder


@pytest.mark.slow
def test_ends_of_a_grid(tmp_path, monkeypatch, capfd):
    recipe = load_recipe("digits", [f"sweep.sram={list(range(4000, 4007))}", "training.epochs=40"])
    folder = run(recipe, tmp_path, monkeypatch)
    rows = folder.results.rows()
    ended = [FINISHED] * 3 + [STOPPED, FINISHED, INFEASIBLE, FAILED]
    assert [row.status for row in rows] == ended
    assert "trial 2 needs no more of anything and reaches 90.20%" in rows[HOPELESS].message
    assert rows[HOPELESS].epochs == 1
    # Each epoch once, though its process died between two.
    table = folder.trial(rows[DIES_ONCE]) / "pruned" / "history.csv"
    assert [line[0] for line in table.read_text().splitlines()[1:]] == list("0123")
    assert "its process died 4 times" in rows[RAISES].message
    assert [row.on_front for row in rows] == [0, 0, 0, 0, 1, 0, 0]
    assert "trial 4 (SRAM 4,004 B, flash 10,864 B, 40,000 MACs, seed 0) goes on" in "".join(
        capfd.readouterr()
    )


@pytest.mark.slow
def test_a_search_by_optuna(tmp_path, monkeypatch):
    axes = ["sweep.search=optuna", "sweep.trials=5", "sweep.sram=[3000, 6000]"]
    recipe = load_recipe("digits", [*axes, "sweep.stop=never"])
    rows = run(recipe, tmp_path, monkeypatch).results.rows()
    assert [(row.trial, row.status) for row in rows] == [(n, FINISHED) for n in range(5)]
    assert len({row.budget_sram_bytes for row in rows}) == 5


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def address(monkeypatch):
    """A Ray cluster in processes of its own, which has 2 CPUs and says that it has a GPU."""
    pytest.importorskip("ray", reason="comes with the extra sweep")
    # Else whoever has ever used Ray here decides whether it asks for a token.
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    port = free_port()
    options = ["--port", port, "--num-cpus", 2, "--num-gpus", 1, "--include-dashboard", "false"]
    # Sockets have short names only.
    place = tempfile.mkdtemp(prefix="ray")
    options += ["--object-store-memory", 100_000_000, "--temp-dir", place]
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    with subprocess.Popen(
        [*start, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    ) as head:
        said = []
        for line in head.stdout:
            said.append(line)
            if "--block" in line:
                break
        else:
            pytest.fail("".join(said))
        yield f"127.0.0.1:{port}"
        head.terminate()
    shutil.rmtree(place, ignore_errors=True)


def sweep_of_three(folder, workers):
    with pytest.MonkeyPatch.context() as patch:
        run(load_recipe("digits", ["sweep.seeds=3"]), folder, patch, workers)


@pytest.mark.slow
def test_trials_on_a_cluster_that_runs_already_get_their_share_of_a_gpu(address, tmp_path):
    # Ray remembers in a process how it last authenticated.
    own = multiprocessing.get_context("spawn").Process(
        target=sweep_of_three, args=(tmp_path, Workers(address=address, gpus=0.5))
    )
    own.start()
    own.join()
    folder = SweepFolder(tmp_path / "sweep")
    rows = folder.results.rows()
    assert [row.status for row in rows] == [FINISHED] * 3
    for row in rows:
        given = json.loads((folder.trial(row) / GIVEN).read_text())
        assert (given["CPU"], given["GPU"]) == (1.0, 0.5)
