"""Runs recipes as a user would and prints what they reach within their budgets.

    python benchmarks/main_job.py digits --seeds 0 1 2 --json out.json
    python benchmarks/main_job.py fashion --data fashion_mnist.npz \
        --budget 26576 51320 --budget 17744 29892

Each run is `mcuprune run RECIPE --seed SEED --json`; the numbers are those of its report. Runs of
the same seed share the unpruned reference. The JSON holds every report and the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument(
        "--budget",
        type=int,
        nargs=2,
        action="append",
        metavar=("SRAM", "FLASH"),
        help="bytes; the recipe's own budget if absent; can be repeated",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def run(given: argparse.Namespace, folder: Path, seed: int, budget: list[int] | None) -> Any:
    command = [sys.executable, "-m", "mcuprune", "run", given.recipe, "--json"]
    command += ["--seed", str(seed), "--out", str(folder / str(seed))]
    command += ["--data", str(given.data)] if given.data else []
    for override in given.set:
        command += ["--set", override]
    if budget:
        command += ["--set", f"budget.sram={budget[0]}", "--set", f"budget.flash={budget[1]}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}")
    report = json.loads(done.stdout)
    del report["deployment"]  # a temporary folder
    return report


COLUMNS = (
    ("seed", 4),
    ("float ref", 9),
    ("float", 7),
    ("int8", 7),
    ("arena B", 9),
    ("budget", 9),
    ("flash B", 9),
    ("budget", 9),
    ("MACs", 11),
    ("TFLM != LiteRT", 15),
    ("fit s", 7),
)


def row(report: dict[str, Any]) -> list[str]:
    accuracy, pruned = report["accuracy"], report["resources"]["pruned"]
    budget, agreement = report["budget"], report["agreement"]
    return [
        str(report["seed"]),
        *(f"{100 * accuracy[k]:.2f}" for k in ("float_reference", "float_pruned", "int8")),
        f"{report['arena']['used']['total_bytes']:,}",
        f"{budget['sram']:,}",
        f"{pruned['tflite_bytes']:,}",
        f"{budget['flash']:,}",
        f"{pruned['macs']:,}",
        str(agreement["tflm_vs_litert_bytes_differing"]),
        f"{report['fit_seconds']:.0f}",
    ]


def show(reports: list[dict[str, Any]]) -> None:
    print(" ".join(name.rjust(width) for name, width in COLUMNS))
    for report in reports:
        cells = zip(row(report), COLUMNS, strict=True)
        print(" ".join(cell.rjust(width) for cell, (_, width) in cells))
    for key in ("float_reference", "float_pruned", "int8"):
        values = [100 * report["accuracy"][key] for report in reports]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"{key}: mean {statistics.mean(values):.2f} +- {spread:.2f} % of {len(values)} seeds")
    print(f"all within budget: {all(r['verdict'] == 'fits' for r in reports)}")


def main() -> None:
    given = arguments()
    everything = []
    with tempfile.TemporaryDirectory() as folder:
        for budget in given.budget or [None]:
            reports = [run(given, Path(folder), seed, budget) for seed in given.seeds]
            print(f"\n{given.recipe}, {machine()}")
            show(reports)
            everything.append({"budget": budget, "reports": reports})
    if given.json:
        text = json.dumps({"machine": machine(), "runs": everything}, indent=2)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
