"""What characterises a run besides its numbers: names, notes, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcuprune.report.contents import LinkedFile
from mcuprune.report.memory_plan import saved_lines
from mcuprune.report.sources import MODEL_FILE
from mcuprune.report.summary import agreement_sentence, arena_lines
from mcuprune.report.table import counting_note

# Files of a deployment and what they are for, the important ones first.
_PURPOSES = {
    MODEL_FILE: "the model, full int8",
    "model_settings.h": "arena size, operators to register, quantization",
    "model_data.c": "the model as a C array",
    "model_data.h": "its declaration",
    "golden_vectors.c": "inputs and answers for a test on the device",
    "golden_vectors.h": "their declaration",
    "golden.npz": "all golden vectors, for numpy",
    "model.keras": "the model before conversion",
    "report.json": "every number of this report",
    "memory_timeline.png": "the memory timeline as a picture",
}


def facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and values of what characterises a run.

    Args:
        found: What ``report.json`` holds.
    """
    resources = found["resources"]["pruned"]
    yield "Network", resources["model"]
    yield "Runtime", f"{resources['runtime']}, {resources['pointer_bits']}-bit"
    if found.get("board"):
        yield "Board", found["board"]
    if found.get("seed") is not None:
        yield "Seed", str(found["seed"])
    method = {"ptq": "after training", "qat": "in training"}.get(found.get("quantization", ""))
    if method:
        yield "Quantized", method
    if found.get("fit_seconds") is not None:
        yield "Training took", f"{found['fit_seconds']:,.0f} s"
    if found.get("engines"):
        yield "Verified with", ", ".join(found["engines"])


def notes(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences that qualify the numbers.

    Args:
        found: What ``report.json`` holds.
    """
    yield counting_note(found["resources"]["pruned"])
    if found["agreement"]["litert_vs_keras"] is not None:
        yield agreement_sentence(found["agreement"])
    yield from arena_lines(found)
    yield from saved_lines(found)


def deployment_files(folder: Path) -> Iterator[LinkedFile]:
    """Yield the files of a deployment, then its firmware projects."""
    for name, purpose in _PURPOSES.items():
        if (folder / name).is_file():
            yield LinkedFile(name, purpose, (folder / name).stat().st_size)
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        sizes = (file.stat().st_size for file in inside.rglob("*") if file.is_file())
        yield LinkedFile(f"{inside.name}/", "firmware project", sum(sizes))
