"""Trials per minute of a sweep with one worker and with several on this machine.

    python benchmarks/sweep_throughput.py --json benchmarks/results/sweep_throughput.json

Each sweep runs the recipe digits over seeds, shortened, one core for each trial, nothing stopped
early. Sweeps with different numbers of workers take turns; medians over the rounds count. The clock
runs from the begin of the first trial to the end of the last: the start of Ray and the training of
the reference, once for each sweep, are left out, the start of each worker's process and its import
of TensorFlow are not. What else the machine did meanwhile shows in its load.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine

import mcuprune

QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


def measured(workers: int, trials: int, epochs: int) -> dict[str, Any]:
    """Run a sweep; return its trials per minute."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "sweep"
        options = ["--epochs", epochs, "--seeds", trials, "--workers", workers, "--out", folder]
        settings = ["--set", "validate.board=null", "--stop", "never"]
        words = ["sweep", "digits", *options, *settings]
        command = [sys.executable, "-m", "mcuprune", *map(str, words)]
        subprocess.run(command, check=True, env=QUIET, stdout=subprocess.DEVNULL)
        rows = mcuprune.results_summary(folder).trials
    seconds = max(row.ended for row in rows) - min(row.began for row in rows)
    return {
        "workers": workers,
        "trials": len(rows),
        "seconds": round(seconds, 1),
        "trials_per_minute": round(60 * len(rows) / seconds, 2),
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = [
        {"round": number, **measured(workers, given.trials, given.epochs)}
        for number in range(given.rounds)
        for workers in given.workers
    ]
    medians = {workers: median_of(found, workers) for workers in given.workers}
    for workers, per_minute in medians.items():
        loads = [entry["load_before"] for entry in found if entry["workers"] == workers]
        print(
            f"{workers} workers: {per_minute:.2f} trials per minute "
            f"({per_minute / medians[given.workers[0]]:.2f}x), median of {given.rounds} rounds, "
            f"{os.cpu_count()} cores, load {min(loads)} to {max(loads)} before"
        )
    if given.json:
        report = {"epochs": given.epochs, "machine": machine(), "medians": medians, "sweeps": found}
        given.json.write_text(json.dumps(report, indent=2) + "\n")


def median_of(found: list[dict[str, Any]], workers: int) -> float:
    """Return the median of the trials per minute with so many workers."""
    return statistics.median(e["trials_per_minute"] for e in found if e["workers"] == workers)


if __name__ == "__main__":
    main()
