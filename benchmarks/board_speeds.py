"""Finds cycles per instruction of boards from published milliseconds, and how far they carry.

Samples are networks, or single kinds of operators within one, that somebody timed on a board. The
instructions of each are predicted from the tables; least squares over relative errors give cycles
per instruction by kind of kernel, pulled towards one number for all, since few networks tell the
kinds apart. Every network is predicted once from a fit without it: that error is printed, and
stands in the board's file.

    python benchmarks/board_speeds.py --shared ../shared
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from mcuprune.boards import Speed
from mcuprune.cost.kernel_tables import load_table
from mcuprune.cost.latency import OTHER, Timing, kernel_class, operator_millicycles
from mcuprune.ir.graph import Graph
from mcuprune.ir.read import read_graph

CLASSES = ("conv_1x1", "conv", "depthwise", "fully_connected", OTHER)
# Weight of each kind's distance from the common number, over relative errors of samples.
PULL = 0.05
MODELS = {
    "person_detect": "tflm/person_detect",
    "kws_ref_model": "mlperf_tiny/kws_ref_model",
    "pretrainedResnet_quant": "mlperf_tiny/pretrainedResnet_quant",
    "ad01_int8": "mlperf_tiny/ad01_int8",
    "vww_96_int8": "mlperf_tiny/vww_96_int8",
    "mcunet-vww1": "tinyengine/vww",
}


@dataclasses.dataclass(frozen=True)
class Sample:
    """What was timed.

    Attributes:
        model: Name of the network.
        kinds: Kinds of operators that were timed, None for all.
        cycles: How long it took, in cycles.
    """

    model: str
    kinds: tuple[str, ...] | None
    cycles: float


@dataclasses.dataclass(frozen=True)
class Series:
    """Samples of one board and software.

    Attributes:
        board: Name of the board.
        table: The table that predicts its instructions.
        samples: Reads the samples below a folder of published tables.
    """

    board: str
    table: str
    samples: Callable[[Path], list[Sample]]


def mlperf_tiny(system: str, rounds: str, clock_mhz: float) -> Callable[[Path], list[Sample]]:
    """Return a reader of one system's latencies of MLPerf Tiny."""

    def read(shared: Path) -> list[Sample]:
        with (shared / "tables" / "mlperf_tiny_results.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["round"] == rounds]
        chosen = [r for r in rows if r["system"].startswith(system) and r["mode"] == "performance"]
        return [
            Sample(Path(row["ref_model"]).stem, None, float(row["latency_ms"]) * clock_mhz * 1e3)
            for row in chosen
        ]

    return read


def mcufit(target: str, kernels: str, clock_mhz: float) -> Callable[[Path], list[Sample]]:
    """Return a reader of one target's operators of mcufit-bench."""

    def read(shared: Path) -> list[Sample]:
        lines = (shared / "tables" / "mcufit_bench" / "layers.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        return [
            Sample(Path(row["model"]).stem, (row["op"],), row["us_per_inference"] * clock_mhz)
            for row in rows
            if row.get("target") == target and row["kernels"] == kernels
        ]

    return read


def tinyengine(library: str, clock_mhz: float) -> Callable[[Path], list[Sample]]:
    """Return a reader of TinyEngine's published latencies of other libraries."""

    def read(shared: Path) -> list[Sample]:
        with (shared / "tables" / "tinyengine_table.csv").open() as file:
            rows = [r for r in csv.DictReader(file) if r["library"].startswith(library)]
        return [
            Sample(row["net_id"], None, float(row["value"]) * clock_mhz * 1e6)
            for row in rows
            if row["metric"] == "latency" and row["net_id"] in MODELS
        ]

    return read


M4 = "cortex-m4_cmsis-nn"
SERIES = (
    Series("nucleo-l4r5zi, microTVM", M4, mlperf_tiny("microtvm_cmsis_nn/NUCLEO_L", "v1.0", 120)),
    Series("nucleo-l4r5zi, TFLM 2.3.1", M4, mlperf_tiny("Nucleo-L4R5ZI", "v0.5", 120)),
    Series("nrf5340-dk", M4, mlperf_tiny("microtvm_cmsis_nn/NRF5340-", "v1.0", 128)),
    Series("ek-ra6m4", M4, mlperf_tiny("EK-RA6M4", "v0.7", 200)),
    Series("ek-ra8d1", "cortex-m55_cmsis-nn", mlperf_tiny("EK-RA8D1", "v1.2", 480)),
    Series("arduino-nano-33-ble", M4, mcufit("nano33ble", "cmsis-nn-or-reference", 64)),
    Series("nucleo-h743zi2", M4, tinyengine("CMSIS-NN", 480)),
)


class Predictor:
    """Instructions of samples by kind of kernel, each model read once."""

    def __init__(self, shared: Path, table: str) -> None:
        self._shared = shared
        speed = Speed("", table, {OTHER: 1.0}, "", "", "")
        self._timing = Timing(load_table(table), speed, 1.0)
        self._graphs: dict[str, Graph] = {}

    def instructions(self, sample: Sample) -> npt.NDArray[np.float64]:
        """Return the instructions of each of :data:`CLASSES`."""
        if sample.model not in self._graphs:
            path = self._shared / "models" / f"{MODELS[sample.model]}.tflite"
            self._graphs[sample.model] = read_graph(path)
        graph = self._graphs[sample.model]
        found = dict.fromkeys(CLASSES, 0.0)
        for operator in graph.operators:
            if sample.kinds is not None and operator.kind not in sample.kinds:
                continue
            kernel = self._timing.table.loops(graph, operator).kernel
            thousandths = operator_millicycles(graph, operator, self._timing)
            found[kernel_class(kernel)] += (thousandths or 0) / 1_000
        return np.array([found[name] for name in CLASSES])


def fit(
    instructions: npt.NDArray[np.float64], cycles: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return cycles per instruction by kind.

    Args:
        instructions: Shape ``(samples, kinds)``.
        cycles: Shape ``(samples,)``.
    """
    relative = instructions / cycles[:, None]
    weight = np.sqrt(cycles / cycles.max())
    common = 1 / np.average(relative.sum(axis=1), weights=weight)
    towards = np.eye(len(CLASSES)) * PULL / common
    rows = np.vstack([relative * weight[:, None], towards])
    solution, _ = nnls(rows, np.concatenate([weight, np.full(len(CLASSES), PULL)]))
    return solution


def left_out(
    samples: list[Sample],
    instructions: npt.NDArray[np.float64],
    cycles: npt.NDArray[np.float64],
) -> Iterator[tuple[str, float]]:
    """Yield each network's relative error when the fit has not seen it."""
    by_model: Mapping[str, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        by_model[sample.model].append(index)
    for model, of_it in by_model.items():
        others = [i for i in range(len(samples)) if i not in of_it]
        if others:
            rates = fit(instructions[others], cycles[others])
            yield model, float((instructions[of_it] @ rates).sum() / cycles[of_it].sum() - 1)


def main() -> None:
    """Print cycles per instruction and the errors of networks left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    for series in SERIES:
        samples = series.samples(shared)
        predictor = Predictor(shared, series.table)
        instructions = np.array([predictor.instructions(sample) for sample in samples])
        cycles = np.array([sample.cycles for sample in samples])
        rates = fit(instructions, cycles)
        told = zip(CLASSES, rates, strict=True)
        print(f"{series.board}: " + ", ".join(f"{name}: {rate:.2f}" for name, rate in told))
        errors = dict(left_out(samples, instructions, cycles))
        for model, error in errors.items():
            print(f"  without {model:24s} {error:+7.1%}")
        if errors:
            size = np.abs(list(errors.values()))
            print(f"  median {np.median(size):.1%}, worst {size.max():.1%}")


if __name__ == "__main__":
    main()
