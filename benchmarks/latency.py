"""Holds predicted instructions against whole networks, none of which the tables were fitted to.

The Cortex-M4 with CMSIS-NN: every network of ``tables/tflm_reference.csv`` beside the checkout.
The others: ``benchmarks/data/networks.csv``, counted as ``latency_fit.py`` says.

    python benchmarks/latency.py --shared ../shared --json benchmarks/results/latency.json
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mcuprune.boards import Speed
from mcuprune.cost.kernel_tables import load_table
from mcuprune.cost.latency import OTHER, Timing, total_millicycles, unknown_kernels
from mcuprune.ir.read import read_graph

NETWORKS = Path(__file__).parent / "data" / "networks.csv"
M4 = "cortex-m4_cmsis-nn"


def rows(shared: Path) -> Iterator[tuple[str, str, int]]:
    """Yield table, model and counted instructions."""
    with (shared / "tables" / "tflm_reference.csv").open() as file:
        for row in csv.DictReader(file):
            # Single layers are no networks.
            if row["m4_instructions"] and not row["model"].startswith("mlonmcu_layers/"):
                yield M4, row["model"].removesuffix(".tflite"), int(row["m4_instructions"])
    with NETWORKS.open() as file:
        for row in csv.DictReader(file):
            yield row["table"], row["model"], int(row["instructions"])


def main() -> None:
    """Print errors per network, their median and worst per table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    errors: dict[str, dict[str, float | None]] = {}
    for table, model, counted in rows(arguments.shared):
        timing = Timing(load_table(table), Speed("", table, {OTHER: 1.0}, "", "", ""), 1.0)
        graph = read_graph(arguments.shared / "models" / f"{model}.tflite")
        found = total_millicycles(graph, timing)
        of_table = errors.setdefault(table, {})
        if found is None:
            of_table[model] = None
            print(f"{table:24s} {model:50s} unknown: {', '.join(unknown_kernels(graph, timing))}")
        else:
            of_table[model] = found / 1_000 / counted - 1
            print(f"{table:24s} {model:50s} {counted:13,} {of_table[model]:+7.2%}")
    for table, by_model in errors.items():
        sizes = np.abs([error for error in by_model.values() if error is not None])
        print(
            f"{table}: {len(sizes)} networks left out, error median {np.median(sizes):.2%}, worst "
            f"{sizes.max():.2%}; {len(by_model) - len(sizes)} unknown"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(errors, indent=1) + "\n")


if __name__ == "__main__":
    main()
