"""Finds a compiler for Arm Cortex-M: ``arm-none-eabi-gcc``, else the one in ``ziglang``."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mcuprune.errors import EngineError, MissingToolError

GCC, ZIG = "arm-none-eabi-gcc", "ziglang"
_ZIG_TARGET = "thumb-freestanding-eabi"
# Helium needs the calling convention of a floating-point unit. GCC 12 does not know the M85.
_HELIUM_CPUS = {"cortex-m55": "cortex-m55", "cortex-m85": "cortex-m55"}
# Without Helium both have all instructions of the M33.
WITHOUT_HELIUM = {"cortex-m55": "cortex-m33", "cortex-m85": "cortex-m33"}
CORES = (
    "cortex-m0",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m33",
    "cortex-m55",
    "cortex-m85",
)


@dataclasses.dataclass(frozen=True)
class CrossCompiler:
    """A compiler and linker for Cortex-M.

    Attributes:
        name: ``"arm-none-eabi-gcc"`` or ``"ziglang"``.
        version: What it calls itself.
        command: How to start it for C.
        cxx_command: How to start it for C++ with a standard library, None if it has none.
    """

    name: str
    version: str
    command: tuple[str, ...]
    cxx_command: tuple[str, ...] | None

    def core_flags(self, core: str) -> tuple[str, ...]:
        """Return the options that select a core: with Helium where it has it, else integer code.

        The compiler in ``ziglang`` makes no code with Helium.

        Raises:
            EngineError: Not a Cortex-M.

        >>> compiler = CrossCompiler(GCC, "12.2", (GCC,), None)
        >>> compiler.core_flags("cortex-m4")
        ('-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=soft')
        """
        if core not in CORES:
            raise EngineError(
                f"there is no firmware for the core {core!r}: choose a board with one of "
                f"{', '.join(CORES)}"
            )
        if self.name == GCC and core in _HELIUM_CPUS:
            return (f"-mcpu={_HELIUM_CPUS[core]}", "-mthumb", "-mfloat-abi=hard")
        if self.name == GCC:
            return (f"-mcpu={core}", "-mthumb", "-mfloat-abi=soft")
        named = f"-mcpu={WITHOUT_HELIUM.get(core, core).replace('-', '_')}"
        return ("-target", _ZIG_TARGET, named, "-fno-sanitize=all")

    def compile(
        self, source: Path, target: Path, options: Sequence[str], *, cxx: bool = False
    ) -> None:
        """Compile one file.

        Raises:
            EngineError: The compiler refuses it, with what it says; or it has no C++ library.
        """
        command = self.command if not cxx else self.cxx_command
        if command is None:
            raise EngineError(
                f"{self.name} brings no C++ library: apt-get install gcc-arm-none-eabi "
                "libstdc++-arm-none-eabi-newlib"
            )
        _run((*command, *options, "-c", str(source), "-o", str(target)), source.name)

    def link(
        self,
        objects: Sequence[Path],
        script: Path,
        target: Path,
        options: Sequence[str],
        libraries: Sequence[str] = (),
        *,
        cxx: bool = False,
    ) -> None:
        """Link objects and libraries into a program with a linker script.

        Raises:
            EngineError: The linker refuses, with what it says; or there is no C++ library.
        """
        command = self.command if not cxx else self.cxx_command
        assert command is not None
        own = ("-nostartfiles",) if self.name == GCC else ()
        arguments = (*options, *own, "-Wl,--gc-sections", "-Wl,-e,start_program", "-T", str(script))
        inputs = (*map(str, objects), *libraries)
        _run((*command, *arguments, *inputs, "-o", str(target)), target.name)


def find_cross_compiler(name: str | None = None) -> CrossCompiler:
    """Return a compiler for Cortex-M.

    Args:
        name: ``"arm-none-eabi-gcc"`` or ``"ziglang"``; None takes the first that is there.

    Raises:
        MissingToolError: It is not installed.
    """
    gcc = shutil.which(GCC) if name in (None, GCC) else None
    if gcc is not None and _has_c_library(gcc):
        return _gcc(gcc)
    if name in (None, ZIG) and importlib.util.find_spec("ziglang") is not None:
        zig = (sys.executable, "-P", "-m", "ziglang")
        return CrossCompiler(ZIG, f"zig {_version((*zig, 'version'))}", (*zig, "cc"), None)
    raise MissingToolError(
        f"no compiler for Cortex-M was found ({name or f'{GCC} or {ZIG}'}): "
        "pip install 'mcuprune[boards]', or apt-get install gcc-arm-none-eabi "
        "libnewlib-arm-none-eabi"
    )


def _has_c_library(gcc: str) -> bool:
    """Tell whether newlib is there; Debian only recommends it beside the compiler."""
    command = [gcc, "-print-file-name=libc.a"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return Path(said.strip()).is_absolute()


def _gcc(path: str) -> CrossCompiler:
    cxx = shutil.which("arm-none-eabi-g++")
    version = f"{GCC} {_version((path, '-dumpfullversion'))}"
    return CrossCompiler(GCC, version, (path,), (cxx,) if cxx else None)


def _version(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise EngineError(f"{command[0]} could not build {what}:\n{said}")
