"""Gives damaged model files to all that reads model files, and counts what becomes of them.

Every file must be taken or refused with an error of this package: no other exception, no crash,
nothing over the limits of time and memory. Files are damaged copies of the models in a folder and
random bytes; a file's number and the models decide what it is, so every finding can be made again.

    python benchmarks/malformed_files.py --models ../shared/models --cases 100000 --first 0 \
        --json benchmarks/results/malformed_files.json --defects /tmp/defects

A run that is stopped leaves its counts; with the same --json it goes on where it was, after it has
tried the files of known defects again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import random
import re
import resource
import tempfile
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from machine import machine
from malformed.mutations import Seed, damaged, random_bytes
from malformed.targets import LIMIT_S, PLANNING_S, outcomes
from rich.progress import Progress

from mcuprune.whole_file import write_whole

# Files above this hold weights for the most part, and each command takes long for them.
LARGEST_MODEL_BYTES = 60_000
MEMORY_BYTES = 1 << 30
RANDOM_SHARE = 0.05
# A process that fell silent is stuck in code that no signal reaches.
SILENCE_S = 6 * LIMIT_S
BATCH = 500
# What differs from file to file in the message of one defect.
_NUMBERS = re.compile(r"-?\d[\d,.]*|/\S+")


@dataclasses.dataclass
class Tally:
    """What became of the files so far.

    Attributes:
        next_case: Number of the first file that is not counted yet.
        results: Files per command and result.
        slowest: Longest wall time per command, s.
        defects: Per kind the number of files and the first of them.
        mended: Those that the same files no longer show.
    """

    next_case: int
    results: Counter[str] = dataclasses.field(default_factory=Counter)
    slowest: dict[str, float] = dataclasses.field(default_factory=dict)
    defects: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    mended: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)

    def take(self, case: int, command: str, result: str, detail: str, seconds: float) -> None:
        """Count one file and command."""
        self.results[f"{command} {result}"] += 1
        self.slowest[command] = max(self.slowest.get(command, 0.0), round(seconds, 2))
        if result == "defect":
            kind = _NUMBERS.sub("#", f"{command}: {detail}")
            found = self.defects.setdefault(kind, {"files": 0, "first": case})
            found["files"] += 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="folder of .tflite files")
    parser.add_argument("--cases", type=int, default=10_000, help="how many files in all")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--json", type=Path, help="where counts are kept")
    parser.add_argument("--defects", type=Path, help="folder for files that show a defect")
    return parser.parse_args()


def seeds_of(folder: Path) -> list[Seed]:
    paths = sorted(folder.rglob("*.tflite"))
    return [
        Seed.of(path.name, path.read_bytes())
        for path in paths
        if path.stat().st_size <= LARGEST_MODEL_BYTES
    ]


def file_of(case: int, seeds: list[Seed]) -> bytes:
    """Return a file by its number; small models come more often."""
    chance = random.Random(case)
    if chance.random() < RANDOM_SHARE:
        return random_bytes(chance)
    seed = chance.choices(seeds, weights=[1 / len(each.data) for each in seeds])[0]
    return damaged(seed, seeds, chance)


def work(seeds: list[Seed], cases: range, out: Connection, other_end: Connection) -> None:
    """Tell what becomes of files, one by one, before the next begins; end when nobody listens."""
    other_end.close()
    limit = _memory_in_use() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        for case in cases:
            path.write_bytes(file_of(case, seeds))
            found = outcomes(path)
            out.send((case, {name: dataclasses.astuple(each) for name, each in found.items()}))


def _memory_in_use() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def run_batch(seeds: list[Seed], cases: range, tally: Tally) -> None:
    """Run files in a process of their own; where it dies, go on behind the file that killed it."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=work, args=(seeds, cases, sender, receiver)
    )
    process.start()
    sender.close()
    while tally.next_case < cases.stop:
        try:
            case, found = receiver.recv() if receiver.poll(SILENCE_S) else (None, {})
        except EOFError:
            case, found = None, {}
        if case is None:
            process.kill()
            process.join()
            _note_death(tally, process.exitcode)
            return
        for command, (result, detail, seconds) in found.items():
            tally.take(case, command, result, detail, seconds)
        tally.next_case = case + 1
    process.join()


def _note_death(tally: Tally, exit_code: int | None) -> None:
    tally.take(tally.next_case, "process", "defect", f"died with {exit_code}", 0.0)
    tally.next_case += 1


def resumed(given: argparse.Namespace) -> Tally:
    if given.json is None or not given.json.is_file():
        return Tally(given.first)
    kept = json.loads(given.json.read_text())
    if kept["first"] != given.first:
        return Tally(given.first)
    results = Counter(kept["results"])
    return Tally(
        kept["next_case"], results, kept["slowest_s"], kept["defects"], kept.get("mended", {})
    )


def try_again(seeds: list[Seed], tally: Tally) -> None:
    """Give the first file of every defect to the commands once more: they may be mended."""
    for kind, found in list(tally.defects.items()):
        again = Tally(found["first"])
        run_batch(seeds, range(found["first"], found["first"] + 1), again)
        if not again.defects:
            tally.mended[kind] = tally.defects.pop(kind)


def to_json(given: argparse.Namespace, seeds: list[Seed], tally: Tally) -> dict[str, Any]:
    return {
        "first": given.first,
        "next_case": tally.next_case,
        "files": tally.next_case - given.first,
        "models": len(seeds),
        "limits": {"seconds": LIMIT_S, "memory_bytes": MEMORY_BYTES, "planning_s": PLANNING_S},
        "results": dict(sorted(tally.results.items())),
        "slowest_s": tally.slowest,
        "defects": tally.defects,
        "mended": tally.mended,
        "machine": machine(),
    }


def keep_defects(folder: Path, seeds: list[Seed], tally: Tally) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for found in tally.defects.values():
        (folder / f"{found['first']}.tflite").write_bytes(file_of(found["first"], seeds))


def main() -> None:
    given = arguments()
    seeds, tally = seeds_of(given.models), resumed(given)
    try_again(seeds, tally)
    end = given.first + given.cases
    with Progress() as progress:
        bar = progress.add_task("damaged files", total=given.cases)
        while tally.next_case < end:
            run_batch(seeds, range(tally.next_case, min(tally.next_case + BATCH, end)), tally)
            progress.update(bar, completed=tally.next_case - given.first)
            if given.json is not None:
                text = json.dumps(to_json(given, seeds, tally), indent=1) + "\n"
                write_whole(given.json, text)
    for name, count in sorted(tally.results.items()):
        print(f"{name:20} {count:10,}")
    for name, found in tally.defects.items():
        print(f"{found['files']:6} files, first {found['first']}: {name}")
    if given.defects is not None:
        keep_defects(given.defects, seeds, tally)


if __name__ == "__main__":
    main()
