"""Fits what the parts of kernels take, from instructions counted operator by operator.

``benchmarks/data/instructions_*.jsonl`` holds single operators of many shapes, each run by TFLM
(tflite-micro 90b983c, CMSIS-NN 99f736a6, GCC 12.2, -O2, release) on an emulated core that counts
instructions (QEMU 7.2, ``-icount``). No network is among them: networks are what the fit is held
against (``benchmarks/latency.py``). The loops give the counts, non-negative least squares over
relative errors what each takes.

    python benchmarks/latency_fit.py            # prints the errors of the fit
    python benchmarks/latency_fit.py --write    # and writes cost_models/kernels/latency/*.yaml
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import nnls

from mcuprune.catalogue import data_folder
from mcuprune.cost.kernel_tables import CALL, LIBRARIES, TABLES_FOLDER
from mcuprune.cost.plain_loops import plain_loops
from mcuprune.ir.graph import Graph, Operator, Tensor

DATA = Path(__file__).parent / "data"
READ = "2026-11"
BITS = {"int8": 8, "int16": 16, "int32": 32, "float32": 32, "int64": 64, "bool": 8, "uint8": 8}
# Pull of every part towards nothing, against parts that the shapes do not tell apart.
RIDGE = 1e-6
# Fewest operators that say anything about a kernel with so many parts.
FEWEST_ROWS = 4
SOURCE = (
    "counted under QEMU 7.2 for tflite-micro 90b983c and CMSIS-NN 99f736a6, GCC 12.2 -O2; fitted "
    "by benchmarks/latency_fit.py to single operators of many shapes"
)
# Kernels that were not counted on a core: so many times another table's. A Cortex-M0+ took 2.7 to
# 3.9 times the instructions of a Cortex-M4 in kernels that were counted on both.
BORROWED = {"cortex-m0plus_cmsis-nn": ("cortex-m4_cmsis-nn", 3.0)}
# Per table: the core and whose loops its kernels run.
TABLES: dict[str, dict[str, Any]] = {
    "cortex-m4_cmsis-nn": {"core": "cortex-m4", "library": "cmsis-nn"},
    "cortex-m4_reference": {"core": "cortex-m4", "library": "reference"},
    "cortex-m0plus_cmsis-nn": {"core": "cortex-m0plus", "library": "cmsis-nn-c"},
    "cortex-m55_cmsis-nn": {"core": "cortex-m55", "library": "cmsis-nn-mve"},
}


@dataclasses.dataclass(frozen=True)
class Row:
    """An operator and the instructions that it took."""

    graph: Graph
    operator: Operator
    instructions: int


def read_rows(path: Path) -> list[Row]:
    """Return the operators of a data file."""
    return [_row(json.loads(line)) for line in path.read_text().splitlines()]


def _row(entry: dict[str, Any]) -> Row:
    described = [*entry["inputs"], *entry["outputs"]]
    tensors = tuple(
        Tensor(
            f"t{i}", tuple(shape), BITS[dtype], dtype, bool(constant), quantization_scales=scales
        )
        for i, (dtype, shape, constant, scales) in enumerate(described)
    )
    inputs = tuple(range(len(entry["inputs"])))
    outputs = tuple(range(len(inputs), len(tensors)))
    operator = Operator(0, entry["kind"], inputs, outputs, entry["attributes"])
    return Row(Graph("row", tensors, (operator,), (), ()), operator, entry["instructions"])


def fit(rows: list[Row], library: str) -> dict[str, dict[str, float]]:
    """Return what each part of each kernel takes; prints the errors."""
    by_kernel: dict[str, list[tuple[dict[str, float], int]]] = defaultdict(list)
    for row in rows:
        rule = LIBRARIES[library]
        loops = rule(row.graph, row.operator) or plain_loops(row.graph, row.operator)
        counts = {part: float(count) for part, count in loops.counts.items()}
        by_kernel[loops.kernel].append(({CALL: 1.0, **counts}, row.instructions))
    fitted = {}
    for kernel, samples in sorted(by_kernel.items()):
        if len(samples) >= FEWEST_ROWS:
            fitted[kernel] = _fit_kernel(kernel, samples)
    return fitted


def _fit_kernel(kernel: str, samples: list[tuple[dict[str, float], int]]) -> dict[str, float]:
    parts = list(samples[0][0])
    counts = np.array([[counts[part] for part in parts] for counts, _ in samples])
    measured = np.array([instructions for _, instructions in samples], np.float64)
    relative = counts / measured[:, None]
    scale = np.maximum(relative.max(axis=0), 1e-12)
    pulled = np.vstack([relative / scale, np.eye(len(parts)) * RIDGE])
    solution, _ = nnls(pulled, np.concatenate([np.ones(len(measured)), np.zeros(len(parts))]))
    each = solution / scale
    error = np.abs(counts @ each / measured - 1)
    print(
        f"  {kernel:32s} {len(samples):4d} operators, error: median {np.median(error):6.2%}, "
        f"worst {error.max():6.2%}"
    )
    return {part: round(float(value), 3) for part, value in zip(parts, each, strict=True) if value}


def _times(kernels: dict[str, dict[str, float]], factor: float) -> dict[str, dict[str, float]]:
    return {
        kernel: {part: round(each * factor, 3) for part, each in parts.items()}
        for kernel, parts in kernels.items()
        if "float32" not in kernel
    }


def main() -> None:
    """Fit every table for which there are counts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", action="store_true", help="write the tables")
    write = arguments.parse_args().write
    fitted: dict[str, dict[str, dict[str, float]]] = {}
    for name, table in TABLES.items():
        path = DATA / f"instructions_{name}.jsonl"
        if not path.exists():
            continue
        print(name)
        rows = read_rows(path)
        fitted[name] = kernels = fit(rows, table["library"])
        if name in BORROWED:
            lender, factor = BORROWED[name]
            kernels = {**_times(fitted[lender], factor), **kernels}
        content = {
            **table,
            "unit": "instructions",
            "origin": "measured",
            "source": SOURCE,
            "read": READ,
            "overhead": {"inference": 80, "operator": 35},
            "kernels": kernels,
        }
        if write:
            target = data_folder(TABLES_FOLDER) / f"{name}.yaml"
            target.write_text(yaml.safe_dump(content, sort_keys=False, width=96))


if __name__ == "__main__":
    main()
