"""From the bytes of a ``.tflite`` file to C files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcuprune.codegen.c_text import require_identifier
from mcuprune.codegen.kernel_files import kernel_files
from mcuprune.codegen.memory import Arena, plan_arena, spare_bytes, with_readable_end
from mcuprune.codegen.model_file import ModelFile, read_model, with_spare
from mcuprune.codegen.operators.registry import CORTEX_M4, PORTABLE, Calls, Rule, kernel_calls
from mcuprune.codegen.program import Program
from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name


@dataclasses.dataclass(frozen=True)
class Target:
    """A kind of processor.

    Attributes:
        rules: What to call for each kind of operator.
        folders: Folders of kernels, the first that has a file wins.
    """

    rules: Mapping[str, Rule]
    folders: tuple[str, ...]


TARGETS: Mapping[str, Target] = {
    "portable": Target(PORTABLE, ("portable",)),
    "cortex-m4": Target(CORTEX_M4, ("cortex_m4", "portable")),
}


@dataclasses.dataclass(frozen=True)
class Sources:
    """C files of a model.

    Attributes:
        name: Prefix of its names: ``NAME.h`` declares ``NAME_invoke``.
        target: What the kernels are made for.
        files: Contents by file name, headers included.
        source_files: Those that are compiled.
        arena_bytes: Bytes of RAM for tensors and working memory.
        weights_bytes: Bytes of constants in flash.
        kernels: Names of the kernels used.
        prototype: How the model is called.
    """

    name: str
    target: str
    files: Mapping[str, str]
    source_files: tuple[str, ...]
    arena_bytes: int
    weights_bytes: int
    kernels: tuple[str, ...]
    prototype: str

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON form, without the contents of the files."""
        return {
            "name": self.name,
            "target": self.target,
            "files": list(self.files),
            "source_files": list(self.source_files),
            "arena_bytes": self.arena_bytes,
            "weights_bytes": self.weights_bytes,
            "kernels": list(self.kernels),
            "prototype": self.prototype,
        }

    def write(self, folder: str | Path) -> None:
        """Write all files into a folder, which is made where it does not exist.

        Raises:
            InputError: The folder cannot be written.
        """
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for name, text in self.files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"cannot write {folder} ({error.strerror or error}): choose a folder that you may "
                "write to"
            ) from None


def generate(
    model: bytes, *, name: str = "model", target: str = "portable", reentrant: bool = False
) -> Sources:
    """Generate C for a quantized model.

    Args:
        model: Contents of a ``.tflite`` file, batch 1, full int8.
        name: Prefix of files, functions and macros, a C identifier.
        target: ``"portable"``: C99 for any processor; ``"cortex-m4"``: kernels for the DSP
            extension of Armv7E-M and Armv8-M, with plain C in its place elsewhere.
        reentrant: Whether the caller gives the arena to each call, instead of a static one.

    Raises:
        InputError: No sound TFLite model, or the name is no C identifier.
        UnknownNameError: The target is not known.
        UnsupportedModelError: Operators without a kernel (each is named with its index), or in a
            form that no kernel takes.
    """
    require_identifier(name)
    if target not in TARGETS:
        raise unknown_name("target", target, TARGETS)
    file = read_model(model, name)
    calls, planned = _planned(file, TARGETS[target].rules)
    arena = with_readable_end(file.graph, planned, _reads_past(calls))
    program = Program(name, file, calls, arena, reentrant)
    files = {
        f"{name}.h": program.header(),
        f"{name}.c": program.source(),
        f"{name}_weights.h": program.weights_header(),
        f"{name}_weights.c": program.weights_source(),
        **kernel_files(program.headers(), TARGETS[target].folders),
    }
    return Sources(
        name=name,
        target=target,
        files=files,
        source_files=(f"{name}.c", f"{name}_weights.c"),
        arena_bytes=arena.size_bytes,
        weights_bytes=sum(values.nbytes for values in program.constants().values()),
        kernels=program.kernels(),
        prototype=program.prototype(),
    )


def _planned(file: ModelFile, rules: Mapping[str, Rule]) -> tuple[Calls, Arena]:
    """Return kernels and arena; kernels that can do with less working memory take what is spare.

    A first plan, with the least that kernels need, says how much room the model takes anyway.
    """
    least = kernel_calls(file, rules)
    arena = plan_arena(file.graph, _scratch(least))
    if not any(_scratch(least).values()):
        return least, arena
    roomy = kernel_calls(with_spare(file, spare_bytes(file.graph, arena)), rules)
    larger = plan_arena(file.graph, _scratch(roomy))
    return (roomy, larger) if larger.size_bytes <= arena.size_bytes else (least, arena)


def _scratch(calls: Calls) -> dict[int, int]:
    return {i: max(call.scratch_bytes for call in found) for i, found in enumerate(calls)}


def _reads_past(calls: Calls) -> dict[int, int]:
    return {
        call.inputs[0]: call.reads_past_bytes
        for found in calls
        for call in found
        if call.reads_past_bytes
    }
