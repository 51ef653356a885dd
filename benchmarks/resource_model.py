"""Predicted resources against what TFLM and the file system count.

Tables of public models: every int8 file of a folder against the TFLM at hand, then every file
against builds for a host and for a Cortex-M4 with CMSIS-NN, and against real boards, where such
measurements are given. A last table converts this package's reference networks at several
widths: predictions from the Keras model, before conversion, against the file and TFLM.

    python benchmarks/resource_model.py --shared ../shared
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measured_arenas import ArenaRow, board_rows, built_rows, print_arenas

from mcuprune.cost.resources import Resources, estimate
from mcuprune.engines.base import ArenaUse
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError, InputError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph

RESULTS = Path(__file__).parent / "results/resource_model.json"


@dataclasses.dataclass(frozen=True)
class Row:
    """Predicted and counted bytes of one model; None where nothing was counted."""

    model: str
    head_predicted: int
    head_tflm: int | None
    tail_predicted: int
    tail_tflm: int | None
    flash_predicted: int | None
    flash_file: int
    note: str = ""

    @property
    def total_error_bytes(self) -> int | None:
        """Predicted minus counted arena."""
        if self.head_tflm is None or self.tail_tflm is None:
            return None
        return self.head_predicted + self.tail_predicted - self.head_tflm - self.tail_tflm


def file_rows(folder: Path) -> Iterator[Row]:
    """Yield a row per int8 model below ``folder``."""
    for path in sorted(folder.rglob("*.tflite")):
        data = path.read_bytes()
        name = str(path.relative_to(folder))
        try:
            graph = parse_tflite(data, name)
        except InputError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        if _is_int8(graph):
            yield _row(name, estimate(graph), data, None)


def network_rows() -> Iterator[Row]:
    """Yield a row per reference network and width, predicted before conversion."""
    import numpy as np

    from mcuprune.deployment.convert import convert_int8
    from mcuprune.ir.from_keras import graph_from_keras

    generator = np.random.default_rng(0)
    for name, build in _networks().items():
        model = build()
        _fill(model, generator)
        calibration = generator.normal(size=(8, *model.input_shape[1:])).astype("float32")
        predicted = estimate(graph_from_keras(model))
        data = convert_int8(model, calibration)
        yield _row(name, predicted, data, predicted.tflite_bytes)


def _networks() -> dict[str, Callable[[], Any]]:
    from mcuprune.recipes import models

    digits = {
        f"digits {a}-{b}-{c}": lambda w=(a, b, c): models.digits_cnn(widths=w)
        for a, b, c in ((16, 32, 64), (8, 16, 32), (6, 23, 46), (5, 11, 19), (2, 8, 16), (1, 1, 1))
    }
    dscnn = {f"DS-CNN {w}": lambda w=w: models.dscnn(widths=(w,) * 5) for w in (64, 33, 8, 2)}
    resnet = {
        f"ResNet-8 {w}": lambda w=w: models.resnet8(widths=(w, 2 * w, 4 * w)) for w in (16, 7, 2)
    }
    return {
        **digits,
        **dscnn,
        **resnet,
        "MobileNetV1-0.25": models.mobilenet_v1_025,
        "MobileNetV1 first width 3": lambda: models.mobilenet_v1_025(first_width=3),
        "autoencoder": models.fc_autoencoder,
    }


def _fill(model: Any, generator: Any) -> None:
    """Replace biases and statistics of zeros and ones: equal constants are stored once."""
    for layer in model.layers:
        layer.set_weights(
            [
                generator.uniform(0.1, 1.0, w.shape) if w.ndim == 1 else w
                for w in layer.get_weights()
            ]
        )


def _is_int8(graph: Graph) -> bool:
    return all(graph.tensors[i].dtype == "int8" for i in (*graph.inputs, *graph.outputs))


def _row(name: str, predicted: Resources, data: bytes, flash_predicted: int | None) -> Row:
    used, note = _measured(data)
    unknown = ", ".join(predicted.unknown_operators)
    return Row(
        model=name,
        head_predicted=predicted.arena_head_bytes,
        head_tflm=None if used is None else used.head_bytes,
        tail_predicted=predicted.arena_tail_bytes,
        tail_tflm=None if used is None else used.tail_bytes,
        flash_predicted=flash_predicted,
        flash_file=len(data),
        note=note or (f"counted by default: {unknown}" if unknown else ""),
    )


def _measured(data: bytes) -> tuple[ArenaUse | None, str]:
    try:
        return TFLM().arena(data), ""
    except EngineError as error:
        return None, str(error).split(":")[0]


def print_table(title: str, rows: list[Row]) -> None:
    print(f"\n{title} (bytes; predicted / counted)")
    print(f"{'model':58} {'head':>20} {'tail':>17} {'arena error':>12} {'flash':>17}")
    for row in rows:
        print(
            f"{row.model:58} {_pair(row.head_predicted, row.head_tflm):>20} "
            f"{_pair(row.tail_predicted, row.tail_tflm):>17} {_error(row):>12} "
            f"{_pair(row.flash_predicted, row.flash_file):>17} {row.note}"
        )
    counted = [row for row in rows if row.total_error_bytes is not None]
    exact = sum(row.total_error_bytes == 0 for row in counted)
    print(f"arena exact: {exact} of {len(counted)}", end="")
    predicted = [row for row in rows if row.flash_predicted is not None]
    if predicted:
        same = sum(row.flash_predicted == row.flash_file for row in predicted)
        print(f"; flash exact: {same} of {len(predicted)}", end="")
    print()


def _pair(predicted: int | None, counted: int | None) -> str:
    return " / ".join("-" if value is None else f"{value:,}" for value in (predicted, counted))


def _error(row: Row) -> str:
    return "-" if row.total_error_bytes is None else f"{row.total_error_bytes:+,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--json", type=Path, default=RESULTS, help="where to write the rows")
    parser.add_argument("--no-networks", action="store_true", help="skip what needs TensorFlow")
    options = parser.parse_args()
    arenas = dict(_arena_tables(options.shared))
    tables = {}
    if (options.shared / "models").is_dir():
        tables["int8 files"] = list(file_rows(options.shared / "models"))
    if not options.no_networks:
        tables["networks predicted before conversion"] = list(network_rows())
    for title, rows in tables.items():
        print_table(title, rows)
    for title, measured in arenas.items():
        print_arenas(title, measured)
    plain = {t: [dataclasses.asdict(r) for r in rows] for t, rows in (tables | arenas).items()}
    options.json.write_text(json.dumps(plain, indent=1) + "\n")


def _arena_tables(shared: Path) -> Iterator[tuple[str, list[ArenaRow]]]:
    models, built = shared / "models", shared / "tables/tflm_reference.csv"
    boards = shared / "tables/mcufit_bench/results.jsonl"
    if built.is_file():
        rows = list(built_rows(models, built))
        for where in ("host", "Cortex-M4"):
            yield f"TFLM built for a {where}", [row for row in rows if row.where == where]
    if boards.is_file():
        yield "boards", list(board_rows(models, boards))


if __name__ == "__main__":
    main()
