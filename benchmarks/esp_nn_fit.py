"""Fits cycles of ESP-NN's kernels on an ESP32 to the operators that mcufit-bench timed.

Four networks, each operator kind timed on a real board: enough for what an output and a product
take, not for the finer loops. Each network is predicted once from a fit without it.

    python benchmarks/esp_nn_fit.py --shared ../shared [--write]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml
from board_speeds import MODELS, Sample, mcufit
from scipy.optimize import nnls

from mcuprune.catalogue import data_folder
from mcuprune.cost.kernel_tables import CALL, TABLES_FOLDER
from mcuprune.cost.plain_loops import plain_loops
from mcuprune.ir.graph import Graph
from mcuprune.ir.read import read_graph

CLOCK_MHZ = 240
# The parts that so few networks can tell apart.
PARTS = (CALL, "output", "product", "tap_inside", "byte")
DOMINANT = {
    "conv_2d_int8": ("output", "product"),
    "depthwise_conv_2d_int8": ("output", "tap_inside"),
    "fully_connected_int8": (CALL, "product"),
    "average_pool_2d_int8": (CALL, "tap_inside"),
    "softmax_int8": (CALL, "output"),
    "add_int8": ("output",),
    "copy_int8": (CALL, "byte"),
}
SOURCE = (
    "avionicharshit-byte/mcufit-bench (MIT): microseconds per kind of operator on an ESP32 at 240 "
    "MHz, ESP-NN, IDF v5.5, -O2; fitted by benchmarks/esp_nn_fit.py"
)


def counts_of(graph: Graph, sample: Sample) -> dict[str, dict[str, float]]:
    """Return the runs of each part of the kernels that a sample timed."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(PARTS, 0.0))
    for operator in graph.operators:
        if sample.kinds is None or operator.kind in sample.kinds:
            loops = plain_loops(graph, operator)
            for part, count in {CALL: 1, **loops.counts}.items():
                if part in PARTS:
                    found[loops.kernel][part] += float(count)
    return found


Rows = dict[str, list[tuple[str, dict[str, float], float]]]


def fit(rows: Rows, without: str = "") -> dict[str, dict[str, float]]:
    """Return cycles per part of each kernel, from all networks but one."""
    kernels = {}
    for kernel, samples in rows.items():
        kept = [(counts, cycles) for model, counts, cycles in samples if model != without]
        parts = DOMINANT[kernel]
        if not kept:
            continue
        relative = np.array([[counts[part] / cycles for part in parts] for counts, cycles in kept])
        scale = np.maximum(relative.max(axis=0), 1e-12)
        solution, _ = nnls(relative / scale, np.ones(len(kept)))
        each = solution / scale
        kernels[kernel] = {p: round(float(v), 3) for p, v in zip(parts, each, strict=True) if v}
    return kernels


def main() -> None:
    """Print the errors of networks left out; write the table if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows: Rows = defaultdict(list)
    for sample in mcufit("esp32", "esp-nn-optimized", CLOCK_MHZ)(arguments.shared):
        path = arguments.shared / "models" / f"{MODELS[sample.model]}.tflite"
        for kernel, counts in counts_of(read_graph(path), sample).items():
            rows[kernel].append((sample.model, counts, sample.cycles))
    for model in {model for samples in rows.values() for model, _, _ in samples}:
        table = fit(rows, without=model)
        of_it = [(k, c, t) for k, samples in rows.items() for m, c, t in samples if m == model]
        if all(kernel in table for kernel, _, _ in of_it):
            total = sum(n * c[part] for k, c, _ in of_it for part, n in table[k].items())
            print(f"without {model:24s} {total / sum(t for _, _, t in of_it) - 1:+.1%}")
        else:
            print(f"without {model:24s} unknown: no other network has its kernels")
    if arguments.write:
        content = {
            "core": "xtensa-lx6",
            "library": "esp-nn",
            "unit": "cycles",
            "origin": "published",
            "source": SOURCE,
            "read": "2026-11",
            "overhead": {"inference": 0, "operator": 0},
            "kernels": fit(rows),
        }
        target = data_folder(TABLES_FOLDER) / "xtensa-lx6_esp-nn.yaml"
        target.write_text(yaml.safe_dump(content, sort_keys=False, width=96))


if __name__ == "__main__":
    main()
