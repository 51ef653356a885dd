"""How long the resource model takes at many widths, and the search of widths that fit.

    python benchmarks/projection_time.py --json benchmarks/results/projection_time.json

Per network: one evaluation of all resources (memory planned), one move of the pruner's gates, and
the search from the unpruned widths to a half and a quarter of arena and flash, with random shares
of importance. Where a quarter of a resource is less than the smallest network needs, 1.15 times
that. Seconds are CPU time of this process; worth is what the search maximises, at most 0.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from machine import machine

import mcuprune
from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.open_costs import OpenCosts
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.allowed import allowed_widths
from mcuprune.pruning.projection import Projection
from mcuprune.pruning.usage import ResourceModel
from mcuprune.recipes import models

LIMITED = ("sram", "flash")
NETWORKS: dict[str, Callable[[], Any]] = {
    "ResNet-8": models.resnet8,
    "DS-CNN": models.dscnn,
    "MobileNetV1-0.25": models.mobilenet_v1_025,
    "MobileNetV2": lambda: _application("MobileNetV2"),
    "DenseNet121": lambda: _application("DenseNet121"),
    "NASNetMobile": lambda: _application("NASNetMobile"),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """What one network takes; the attributes say their units."""

    network: str
    groups: int
    operators: int
    compile_s: float
    evaluation_ms: float
    move_ms: float
    half_s: float
    half_worth: float
    quarter_s: float
    quarter_worth: float


def row(name: str) -> Row:
    model = NETWORKS[name]()
    groups = coupling_groups(model)
    full = {group.name: group.width for group in groups.prunable}
    fixed = {n: width for n, width in groups.widths().items() if n not in full}
    graph = graph_from_keras(model, groups.dims())
    started = time.process_time()
    resources = ResourceModel(OpenCosts(graph), fixed, LIMITED)
    compile_s = time.process_time() - started
    half_s, half_worth = projection(resources, full, 2)
    quarter_s, quarter_worth = projection(resources, full, 4)
    return Row(
        network=name,
        groups=len(full),
        operators=len(graph.operators),
        compile_s=compile_s,
        evaluation_ms=milliseconds(lambda: resources.exact(full)),
        move_ms=move_ms(model, resources, full),
        half_s=half_s,
        half_worth=half_worth,
        quarter_s=quarter_s,
        quarter_worth=quarter_worth,
    )


def projection(
    resources: ResourceModel, full: Mapping[str, int], divisor: int
) -> tuple[float, float]:
    """Return seconds of the search and the worth of the widths that it finds."""
    rng = np.random.default_rng(0)
    shares = {name: rng.dirichlet(np.full(width, 0.5)) for name, width in full.items()}
    search = Projection(
        resources,
        limits(resources, full, divisor),
        shares,
        {name: allowed_widths(width) for name, width in full.items()},
    )
    started = time.process_time()
    found = search.run(full)
    return time.process_time() - started, search.worth(found)


def limits(resources: ResourceModel, full: Mapping[str, int], divisor: int) -> dict[str, int]:
    reference, least = resources.exact(full), resources.exact(dict.fromkeys(full, 1))
    return {name: max(reference[name] // divisor, int(1.15 * least[name])) for name in LIMITED}


def move_ms(model: Any, resources: ResourceModel, full: Mapping[str, int]) -> float:
    """Return milliseconds of one move: importance, prices, widths and gates."""
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    pruner = mcuprune.Pruner(model, mcuprune.Budget(**limits(resources, full, 2)))
    return milliseconds(lambda: pruner._move(0.5))


def milliseconds(call: Callable[[], object], repeats: int = 20) -> float:
    """Return the shortest of some runs."""
    call()
    runs = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        runs.append(time.perf_counter() - started)
    return 1000 * min(runs)


def _application(name: str) -> Any:
    return getattr(keras.applications, name)(weights=None, input_shape=(96, 96, 3), classes=10)


def print_table(rows: list[Row]) -> None:
    print(f"{'':40} {'compile':>8} {'evaluate':>9} {'move':>8} {'to 1/2':>15} {'to 1/4':>15}")
    print(f"{'network':18} {'groups':>7} {'operators':>13} {'s':>8} {'ms':>9} {'ms':>8}", end="")
    print(f"{'s (worth)':>16} {'s (worth)':>15}")
    for one in rows:
        half = f"{one.half_s:.2f} ({one.half_worth:.2f})"
        quarter = f"{one.quarter_s:.2f} ({one.quarter_worth:.2f})"
        print(
            f"{one.network:18} {one.groups:7} {one.operators:13} {one.compile_s:8.3f} "
            f"{one.evaluation_ms:9.2f} {one.move_ms:8.2f} {half:>15} {quarter:>15}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(NETWORKS)}; default: all")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    given = parser.parse_args()
    rows = [row(name) for name in given.networks or NETWORKS]
    print_table(rows)
    if given.json:
        result = {
            "machine": machine(),
            "limited": LIMITED,
            "rows": [dataclasses.asdict(one) for one in rows],
        }
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
