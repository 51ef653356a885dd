"""Looks for files that make something else than an error of this package, led by coverage.

Atheris (libFuzzer) keeps what reaches new lines of this package and goes on from there. It stops at
the first file that raises another error, takes over 10 s or over 2 GiB, and keeps it.

    pip install 'mcuprune[fuzz]'
    python benchmarks/coverage_guided.py model FOLDER -max_total_time=600
    python benchmarks/coverage_guided.py recipe FOLDER -max_total_time=600

The first argument is what reads the files: ``model`` (estimate, check, optimize and codegen of a
``.tflite`` file), ``recipe``, ``board``, ``budgets-yaml`` or ``budgets-toml``. The folder keeps
what was found to reach new lines; sound files go in first where it is empty. What follows are
options of libFuzzer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mcuprune", "yaml", "tomllib"]):
    from malformed.targets import TARGETS
    from malformed.text_files import READERS, fresh_folder

    from mcuprune.errors import McupruneError

ROOT = Path(__file__).parents[1]
LIMITS = ("-timeout=10", "-rss_limit_mb=2048")
MODEL = "model"
# Sound files to begin with.
SEEDS = {
    MODEL: ("zoo/*small/model.tflite", "tests/data/malformed/*.tflite"),
    "recipe": ("recipes/*.yaml",),
    "board": ("cost_models/boards/*.yaml",),
}
_BUDGETS = {
    "budgets-yaml": "models:\n  digits:\n    path: model.tflite\n    sram: 4KiB\n    macs: 1M\n",
    "budgets-toml": '[models.digits]\npath = "model.tflite"\nboard = "nucleo-l4r5zi"\n',
}
_LARGEST = {MODEL: 16_384}


def main() -> None:
    """Run libFuzzer, which ends the process."""
    kinds = (MODEL, *READERS)
    if len(sys.argv) < 3 or sys.argv[1] not in kinds:
        raise SystemExit(f"usage: {sys.argv[0]} {'|'.join(kinds)} FOLDER [libFuzzer's options]")
    kind, folder = sys.argv[1], Path(sys.argv[2])
    _fill(kind, folder)
    longest = f"-max_len={_LARGEST.get(kind, 4096)}"
    options = [sys.argv[0], str(folder), longest, *LIMITS, *sys.argv[3:]]
    atheris.Setup(options, _reader(kind))
    atheris.Fuzz()


def _fill(kind: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    for pattern in SEEDS.get(kind, ()):
        for path in ROOT.glob(pattern):
            name = path.relative_to(ROOT).as_posix().replace("/", "-")
            (folder / name).write_bytes(path.read_bytes())
    if kind in _BUDGETS:
        (folder / "sound").write_text(_BUDGETS[kind])


def _reader(kind: str) -> Callable[[bytes], None]:
    place = fresh_folder()

    def read_model(data: bytes) -> None:
        path = place / "model.tflite"
        path.write_bytes(data)
        for target in TARGETS.values():
            try:
                target(path)
            except McupruneError:
                continue

    def read_text(data: bytes) -> None:
        try:
            READERS[kind](data, place)
        except McupruneError:
            return

    return read_model if kind == MODEL else read_text


if __name__ == "__main__":
    main()
