"""The arena's head of public models: TFLM's own plan, ours, and what no plan is below.

Every file is rewritten with its plan and run by real TFLM, before and after, on the same random
inputs. A second table counts, over this package's networks at random widths, how often TFLM's plan
and ours reach the largest working set; a third times the planner on random buffers.

    python benchmarks/planner.py --models ../shared/models --json benchmarks/results/planner.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from mcuprune.deployment.optimize import RUNTIMES, Optimized, optimize
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError, McupruneError
from mcuprune.planner.greedy import greedy_plan
from mcuprune.planner.lifetimes import Buffer
from mcuprune.planner.optimal import optimal_plan


@dataclasses.dataclass(frozen=True)
class Row:
    """One model; None where TFLM said nothing, ``note`` why."""

    model: str
    greedy_bytes: int | None = None
    ours_bytes: int | None = None
    lower_bound_bytes: int | None = None
    proven: bool | None = None
    largest_working_set_bytes: int | None = None
    reordered: bool | None = None
    in_place: int | None = None
    other_runtimes: dict[str, list[int]] | None = None
    seconds: float | None = None
    tflm_before_bytes: int | None = None
    tflm_after_bytes: int | None = None
    outputs_identical: bool | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Widths:
    """A network at random widths: how many draws, and at how many a plan has no gaps."""

    network: str
    draws: int
    greedy_without_gaps: int
    ours_without_gaps: int


@dataclasses.dataclass(frozen=True)
class Timing:
    """One set of random buffers."""

    buffers: int
    mean_length: int
    seed: int
    greedy_bytes: int
    ours_bytes: int
    lower_bound_bytes: int
    seconds: float


def model_rows(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.rglob("*.tflite")):
        name, data = str(path.relative_to(folder)), path.read_bytes()
        try:
            began = time.perf_counter()
            optimize(data, name, check=False)
            seconds = time.perf_counter() - began
            yield _row(name, data, optimize(data, name), seconds)
        except McupruneError as error:
            yield Row(name, note=str(error))


def _row(name: str, data: bytes, found: Optimized, seconds: float) -> Row:
    before, note = _head(data)
    after = before if found.model == data else _head(found.model)[0]
    heads = zip(found.plan.unplanned_heads_bytes[1:], found.plan.heads_bytes[1:], strict=True)
    return Row(
        model=name,
        greedy_bytes=found.plan.unplanned_head_bytes,
        ours_bytes=found.plan.head_bytes,
        lower_bound_bytes=found.plan.lower_bound_bytes,
        proven=found.plan.proven,
        largest_working_set_bytes=found.largest_working_set_bytes,
        reordered=found.plan.is_reordered,
        in_place=found.plan.in_place,
        other_runtimes=dict(zip(RUNTIMES[1:], map(list, heads), strict=True)),
        seconds=round(seconds, 2),
        tflm_before_bytes=before,
        tflm_after_bytes=after,
        # optimize() stops with an error where they differ.
        outputs_identical=None if found.measured is None else True,
        note=note,
    )


def _head(model: bytes) -> tuple[int | None, str]:
    try:
        return TFLM().arena(model).head_bytes, ""
    except EngineError as error:
        return None, str(error).split(";")[0]


def width_rows(draws: int = 100) -> Iterator[Widths]:
    from mcuprune.channels.analysis import coupling_groups
    from mcuprune.cost.memory import largest_working_set
    from mcuprune.cost.scratch import scratch_requests
    from mcuprune.ir.from_keras import graph_from_keras
    from mcuprune.planner.lifetimes import buffers
    from mcuprune.recipes import models

    chance = random.Random(0)
    for build in (models.digits_cnn, models.dscnn, models.resnet8, models.mobilenet_v1_025):
        model = build()
        groups = coupling_groups(model)
        graph = graph_from_keras(model, groups.dims())
        greedy = ours = 0
        for _ in range(draws):
            widths = {name: chance.randint(1, most) for name, most in groups.widths().items()}
            drawn = graph.at(widths)
            placed, needed = buffers(drawn, scratch_requests(drawn)), largest_working_set(drawn)
            greedy += greedy_plan(placed).size_bytes == needed
            ours += optimal_plan(placed).size_bytes == needed
        yield Widths(model.name, draws, greedy, ours)


def timings() -> Iterator[Timing]:
    for count in (25, 50, 100, 200, 400):
        for mean_length in (1, 3, 8):
            for seed in range(3):
                yield _timing(count, mean_length, seed)


def _timing(count: int, mean_length: int, seed: int) -> Timing:
    chance = random.Random(seed)
    made = []
    for tensor in range(count):
        first = chance.randrange(count)
        last = min(count, first + 1 + int(chance.expovariate(1 / mean_length)))
        made.append(Buffer(tensor, 16 * chance.randint(1, 400), first, last))
    began = time.perf_counter()
    plan = optimal_plan(made)
    seconds = time.perf_counter() - began
    greedy_bytes = greedy_plan(made).size_bytes
    bound = plan.lower_bound_bytes
    return Timing(count, mean_length, seed, greedy_bytes, plan.size_bytes, bound, seconds)


def print_models(rows: list[Row]) -> None:
    heading = f"{'model':54} {'TFLM':>9} {'ours':>9} {'bound':>9} {'proven':>6} {'s':>5}"
    print(f"{heading} {'TFLM measured':>21} {'outputs':>9}  means")
    for row in rows:
        if row.ours_bytes is None:
            print(f"{_short(row.model):54} left out: {row.note.split(':')[0][:90]}")
            continue
        measured = "-" if row.tflm_after_bytes is None else _pair(row)
        same = {None: "unchanged", True: "identical", False: "differ"}[row.outputs_identical]
        same = "not run" if row.tflm_after_bytes is None else same
        print(
            f"{_short(row.model):54} {row.greedy_bytes:>9,} {row.ours_bytes:>9,} "
            f"{row.lower_bound_bytes:>9,} {'yes' if row.proven else 'no':>6} {row.seconds:>5.2f} "
            f"{measured:>21} {same:>9}  {_means(row)}"
        )
    planned = [row for row in rows if row.ours_bytes is not None]
    print(
        f"{len(planned)} models: proven {sum(bool(r.proven) for r in planned)}, smaller than "
        f"TFLM's plan {sum(r.ours_bytes < r.greedy_bytes for r in planned)}, larger "
        f"{sum(r.ours_bytes > r.greedy_bytes for r in planned)}; slowest "
        f"{max(r.seconds for r in planned):.2f} s"
    )


def _pair(row: Row) -> str:
    return f"{row.tflm_before_bytes:,} -> {row.tflm_after_bytes:,}"


def _means(row: Row) -> str:
    means = []
    if row.ours_bytes < row.greedy_bytes:
        means = ["order"] * bool(row.reordered) + ["in place"] * bool(row.in_place) or ["offsets"]
    for name, (before, after) in row.other_runtimes.items():
        if before != after and row.ours_bytes == row.greedy_bytes:
            means.append(f"{name} {before:,} -> {after:,}")
    return ", ".join(means)


def _short(model: str) -> str:
    return model if len(model) <= 54 else f"{model[:25]}...{model[-26:]}"


def print_widths(rows: list[Widths]) -> None:
    print(f"\n{'network at random widths':24} {'draws':>5} {'TFLM without gaps':>17} {'ours':>5}")
    for row in rows:
        without = f"{row.greedy_without_gaps:>17} {row.ours_without_gaps:>5}"
        print(f"{row.network:24} {row.draws:>5} {without}")


def print_timings(found: list[Timing]) -> None:
    print(f"\n{'buffers':>7} {'instances':>9} {'proven':>6} {'below greedy':>12} {'slowest s':>9}")
    for count in sorted({timing.buffers for timing in found}):
        some = [timing for timing in found if timing.buffers == count]
        proven = sum(t.ours_bytes == t.lower_bound_bytes for t in some)
        below = sum(t.ours_bytes < t.greedy_bytes for t in some)
        slowest = max(t.seconds for t in some)
        print(f"{count:>7} {len(some):>9} {proven:>6} {below:>12} {slowest:>9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=Path("../shared/models"))
    parser.add_argument("--json", type=Path, help="where to write the rows")
    options = parser.parse_args()
    rows = list(model_rows(options.models))
    print_models(rows)
    networks = list(width_rows())
    print_widths(networks)
    found = list(timings())
    print_timings(found)
    if options.json:
        plain = {
            "models": [dataclasses.asdict(row) for row in rows],
            "random widths": [dataclasses.asdict(row) for row in networks],
            "random buffers": [dataclasses.asdict(timing) for timing in found],
        }
        options.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
