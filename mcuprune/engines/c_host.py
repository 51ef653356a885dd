"""Generated C, compiled for this machine and run in this process."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mcuprune.codegen import Sources, generate
from mcuprune.engines.base import ArenaUse, Array, EngineRun, matching_inputs
from mcuprune.errors import EngineError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph

FLAGS = (
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wundef",
    "-Wstrict-prototypes",
    "-Wcast-align",
    "-Werror",
)


@dataclasses.dataclass(frozen=True)
class CHost:
    """Runs generated C on the host.

    Args:
        target: Kernels to use; those made for a microcontroller run with plain C in the place of
            its instructions.
        compiler: Command and first arguments; None looks for ``$CC``, cc, gcc, clang and the
            package ``ziglang``.
        options: Options of the compiler besides :data:`FLAGS`.
    """

    target: str = "portable"
    compiler: tuple[str, ...] | None = None
    options: tuple[str, ...] = ("-O2",)

    @property
    def name(self) -> str:
        """Name of the engine."""
        return "c-host"

    def run(self, model: bytes, inputs: Array | Sequence[Array]) -> EngineRun:
        """Generate, compile and execute the model on each input.

        See :class:`mcuprune.engines.base.Engine` for arguments and errors. ``arena`` holds what is
        reserved; there is no tail.

        Raises:
            UnsupportedModelError: An operator has no C kernel.
        """
        graph = parse_tflite(model, "the model")
        arrays = matching_inputs(graph, inputs)
        sources = generate(model, target=self.target)
        compiler = host_compiler() if self.compiler is None else self.compiler
        with tempfile.TemporaryDirectory(prefix="mcuprune-") as folder:
            library = compiled_library(sources, Path(folder), (*compiler, *self.options))
            answers = _invoke_all(library, sources.name, graph, arrays)
        return EngineRun(
            all_outputs=answers,
            arena=ArenaUse(sources.arena_bytes, 0, sources.arena_bytes),
            engine=self.name,
            version=" ".join(compiler),
        )


def host_compiler() -> tuple[str, ...]:
    """Return the command of a C compiler for this machine.

    Raises:
        EngineError: There is none.
    """
    given = os.environ.get("CC")
    for command in (*([given] if given else []), "cc", "gcc", "clang"):
        found = shutil.which(command)
        if found:
            return (found,)
    if find_spec("ziglang") is not None:
        return (sys.executable, "-P", "-m", "ziglang", "cc")
    raise EngineError(
        "no C compiler was found: install gcc or clang, set CC, or `pip install ziglang`"
    )


def compiled_library(sources: Sources, folder: Path, compiler: Sequence[str]) -> ctypes.CDLL:
    """Compile sources into a shared library and load it.

    Args:
        sources: What to compile.
        folder: A folder to write to.
        compiler: Command and options.

    Raises:
        EngineError: The compiler fails; the message holds its first lines.
    """
    sources.write(folder)
    library = folder / f"{sources.name}.so"
    files = [str(folder / name) for name in sources.source_files]
    command = [*compiler, *FLAGS, "-shared", "-fPIC", *files, "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        first = "\n".join(done.stderr.splitlines()[:10])
        raise EngineError(f"{compiler[0]} could not compile the generated C:\n{first}")
    return ctypes.CDLL(str(library))


def _invoke_all(
    library: ctypes.CDLL, name: str, graph: Graph, inputs: Sequence[Array]
) -> tuple[Array, ...]:
    invoke = library[f"{name}_invoke"]
    count = len(inputs[0])
    outputs = [
        np.zeros((count, *map(int, tensor.shape)), np.dtype(tensor.dtype))
        for tensor in (graph.tensors[index] for index in graph.outputs)
    ]
    contiguous = [np.ascontiguousarray(array) for array in inputs]
    for sample in range(count):
        pointers = [array[sample].ctypes.data_as(ctypes.c_void_p) for array in contiguous]
        pointers += [array[sample].ctypes.data_as(ctypes.c_void_p) for array in outputs]
        if invoke(*pointers) != 0:
            raise EngineError("the generated C refused its arguments: please report this")
    # As other engines, which join answers along the batch.
    return tuple(array.reshape(-1, *array.shape[2:]) for array in outputs)
