"""From the bytes of a ``.tflite`` file to C files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from mcuprune.codegen.c_text import require_identifier
from mcuprune.codegen.kernel_files import kernel_files
from mcuprune.codegen.memory import plan_arena
from mcuprune.codegen.model_file import read_model
from mcuprune.codegen.operators.registry import CORTEX_M4, PORTABLE, Rule, kernel_calls
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
    """

    name: str
    target: str
    files: Mapping[str, str]
    source_files: tuple[str, ...]
    arena_bytes: int
    weights_bytes: int
    kernels: tuple[str, ...]

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
    file = read_model(model, "the model")
    calls = kernel_calls(file, TARGETS[target].rules)
    scratch = {i: max(call.scratch_bytes for call in found) for i, found in enumerate(calls)}
    arena = plan_arena(file.graph, scratch)
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
    )
