"""Cuts random channels out of every architecture and tells what came of it.

    python benchmarks/architectures.py                       # those without a result yet
    python benchmarks/architectures.py --only VGG16 TCN      # these, anew
    python benchmarks/architectures.py --structure           # counts and times of surgery, anew
    python benchmarks/architectures.py --print               # the table of the results so far

Per network and seed, channels are cut three times: a single group to one channel, all groups to
random widths from one to full, all groups to one channel; each time the smaller network is held
against the masked larger one. One network that was cut at random is saved and loaded, cloned,
summarised, trained by one step of the optimizer that it was compiled with before the cut, and
converted to int8. Surgery is timed on cuts to random widths, one after the other, in processor
time of all threads; the median counts. Results are merged into a JSON file, network by network.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from keeps import Keep, narrowest_keep, one_narrow_keep, random_keep
from machine import machine
from network_checks import (
    TOLERANCE,
    Agreement,
    as_int8,
    cloned_difference,
    compiled,
    cut_and_compare,
    reloaded_difference,
    summary_is_right,
    train_one_step,
)
from networks import NETWORKS, network, random_inputs

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Groups
from mcuprune.channels.share import parameter_share
from mcuprune.channels.surgery import cut

RESULTS = Path(__file__).parent / "results" / "architectures.json"
CALIBRATION_SAMPLES = 8
PACKAGES = ("keras", "tensorflow", "tflite-micro", "numpy")


def examined(name: str, seeds: int) -> dict[str, Any]:
    """Run all checks on one network; return its row."""
    start = time.perf_counter()
    row = structure(name, seeds)
    agreements = [agreement for seed in range(seeds) for agreement in held_against(name, seed)]
    row["cuts"] = len(agreements)
    row["params_at_width_one"] = min(a.params for a in agreements)
    row["worst_difference"] = max(a.difference for a in agreements)
    row["least_effect"] = min(a.effect for a in agreements)
    row |= after_a_cut(name)
    return row | {"seconds": round(time.perf_counter() - start, 1)}


def structure(name: str, seeds: int) -> dict[str, Any]:
    """Count what of a network can be pruned, and time how its groups are found and cut."""
    model = NETWORKS[name]()
    started = time.process_time()
    groups = coupling_groups(model)
    counts = {
        "grouping_seconds": time.process_time() - started,
        "params": model.count_params(),
        **grouping(groups),
    }
    cutting = []
    for seed in range(seeds):
        keep = random_keep(groups, seed)
        started = time.process_time()
        groups = cut(groups, keep).groups
        cutting.append(time.process_time() - started)
    return counts | {"surgery_seconds": statistics.median(cutting)}


def held_against(name: str, seed: int) -> list[Agreement]:
    """Cut a network three times, each time held against what it was before."""
    model = network(name, seed)
    inputs = random_inputs(model, seed + 100)
    first = cut_and_compare(model, lambda groups: one_narrow(groups, seed), inputs)
    second = cut_and_compare(model, lambda groups: random_keep(groups, seed), inputs, first.groups)
    third = cut_and_compare(model, lambda g: narrowest_keep(g, seed), inputs, second.groups)
    return [first, second, third]


def one_narrow(groups: Groups, seed: int) -> Keep:
    """Cut one group, another one for each seed, to a single channel."""
    rng = np.random.default_rng(seed)
    return one_narrow_keep(groups, groups.prunable[rng.integers(len(groups.prunable))].name, seed)


def grouping(groups: Groups) -> dict[str, Any]:
    """Count groups and channels; those that the model returns cannot be pruned by anyone."""
    ends = {n for key in groups.graph.outputs for n in groups.layouts[key].numbers.tolist()}
    inner = [g for g in groups.groups.values() if groups.slices[g.name].start not in ends]
    prunable = [group for group in inner if group.frozen is None]
    weights = parameter_share(groups)
    return {
        "weights": weights.total,
        "prunable_weights": weights.prunable,
        "groups": len(inner),
        "prunable_groups": len(prunable),
        "channels": sum(made(groups, group.name) for group in inner),
        "prunable_channels": sum(made(groups, group.name) for group in prunable),
        "frozen": {group.name: group.frozen for group in inner if group.frozen},
    }


def made(groups: Groups, name: str) -> int:
    """Return how many filters and units of the layers make a group's channels."""
    span = groups.slices[name]
    producers = groups.groups[name].producers
    layouts = [
        groups.layouts[call.outputs[0]]
        for call in {call.name: call for call in groups.graph.calls}.values()
        if call.name in producers
    ]
    return sum(int(((x.channels >= span.start) & (x.channels < span.stop)).sum()) for x in layouts)


def after_a_cut(name: str) -> dict[str, Any]:
    """Do with a cut network what people do with any other."""
    model = network(name, seed=0)
    inputs = random_inputs(model, seed=200)
    compiled(model)
    train_one_step(model, inputs, seed=0)
    agreement = cut_and_compare(model, lambda groups: random_keep(groups, 0), inputs)
    loss = train_one_step(model, inputs, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        reloaded = reloaded_difference(model, inputs, Path(folder))
    calibration = random_inputs(model, seed=300, count=CALIBRATION_SAMPLES)
    return {
        "difference_after_training": agreement.difference,
        "loss_is_finite": bool(np.isfinite(loss)),
        "reloaded_difference": reloaded,
        "cloned_difference": cloned_difference(model, inputs),
        "summary_is_right": summary_is_right(model),
        "int8_params": model.count_params(),
        "int8": dataclasses.asdict(as_int8(model, calibration)),
    }


def table(rows: dict[str, Any]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- " * len(COLUMNS) + "|"]
    for name, row in rows.items():
        lines.append("| " + " | ".join(cell(name, row) for cell in COLUMNS.values()) + " |")
    return "\n".join(lines)


def refusals(rows: dict[str, Any]) -> str:
    """Return why networks are frozen in part, or did not become int8 files, as a list."""
    lines = []
    for name, row in rows.items():
        lines += [f"- {name}: `{group}` is frozen, {why}" for group, why in row["frozen"].items()]
        if row["int8"]["note"]:
            reason = row["int8"]["note"].split(". ")[0].split(", ")[0]
            lines.append(f"- {name}: {reason}")
    return "\n".join(lines)


def prunable_share(row: dict[str, Any]) -> str:
    return f"{100 * row['prunable_channels'] / row['channels']:.0f}%"


def prunable_weights(row: dict[str, Any]) -> str:
    """Return the share of weights that make or read a channel that can go, rounded down."""
    return f"{1000 * row['prunable_weights'] // row['weights'] / 10}%"


def ordinary(row: dict[str, Any]) -> str:
    """Say whether Keras takes the cut network for an ordinary one."""
    same = row["reloaded_difference"] == 0 and row["cloned_difference"] == 0
    return "yes" if same and row["summary_is_right"] and row["loss_is_finite"] else "NO"


def operators(row: dict[str, Any]) -> str:
    int8 = row["int8"]
    if not int8["converted"]:
        return "not int8"
    return "same" if int8["same_operators"] else "differ" if int8["foreseen"] else "not foreseen"


def error(row: dict[str, Any], what: str) -> str:
    """Return predicted minus counted bytes."""
    predicted, counted = (row["int8"][f"{what}_{how}_bytes"] for how in ("predicted", "counted"))
    return "-" if predicted is None or counted is None else f"{predicted - counted:+,} B"


COLUMNS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "network": lambda name, _: name,
    "parameters": lambda _, row: f"{row['params']:,}",
    "at width 1": lambda _, row: f"{row['params_at_width_one']:,}",
    "groups": lambda _, row: f"{row['prunable_groups']} of {row['groups']}",
    "channels": lambda _, row: prunable_share(row),
    "of parameters": lambda _, row: prunable_weights(row),
    "masked vs cut": lambda _, row: f"{row['worst_difference']:.0e}",
    "saved, cloned, trained": lambda _, row: ordinary(row),
    "operators": lambda _, row: operators(row),
    "arena": lambda _, row: error(row, "arena"),
    "flash": lambda _, row: error(row, "flash"),
    "surgery": lambda _, row: f"{row['surgery_seconds']:.2f} s",
}


def load() -> dict[str, Any]:
    return json.loads(RESULTS.read_text("utf-8"))["networks"] if RESULTS.exists() else {}


def store(rows: dict[str, Any]) -> None:
    ordered = {name: rows[name] for name in NETWORKS if name in rows}
    text = json.dumps(
        {"machine": machine(*PACKAGES), "tolerance": TOLERANCE, "networks": ordered}, indent=1
    )
    RESULTS.write_text(text + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--structure", action="store_true", help="count and time those with results anew, no more"
    )
    parser.add_argument("--print", action="store_true", help="print the table and do nothing else")
    given = parser.parse_args()
    rows = load()
    if given.structure:
        for name in given.only or rows:
            rows[name] |= structure(name, given.seeds)
            store(rows)
            print(f"{name}: {rows[name]['surgery_seconds']:.2f} s", flush=True)
    elif not given.print:
        chosen = given.only or [name for name in NETWORKS if name not in rows]
        for number, name in enumerate(chosen, start=1):
            print(f"{number}/{len(chosen)} {name} ...", end=" ", flush=True)
            rows[name] = examined(name, given.seeds)
            store(rows)
            print(f"{rows[name]['worst_difference']:.1e}, {rows[name]['seconds']} s", flush=True)
    print(table(rows), refusals(rows), sep="\n\n")


if __name__ == "__main__":
    main()
