"""Builds the firmware that simulators run: startup, harness, a runtime and a model.

The firmware reads inputs from a file by semihosting, and writes answers and measures into another,
so that one program runs under Unicorn and QEMU; for Renode a memory and a UART stand for the files.
Its C sources lie in ``firmware/``.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mcuprune.engines.cross_compiler import GCC, CrossCompiler
from mcuprune.engines.firmware_layout import Layout, Target
from mcuprune.engines.program import Program, read_program

SOURCES = Path(__file__).parent / "firmware"
_HARNESS = ("startup.c", "harness.c", "paint.c")
_SEMIHOSTING, _UART = ("semihosting.c",), ("uart_files.c", "uart.c")
# Where compilers put an array whose name speaks of an arena, as generated C and TFLM's glue do.
ARENA_SECTIONS = ".bss.*arena*"
_C_OPTIONS = ("-std=c11", "-ffreestanding")
_OPTIONS = (
    "-O2",
    "-ffunction-sections",
    "-fdata-sections",
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)


@dataclasses.dataclass(frozen=True)
class RuntimeParts:
    """A runtime with its model, as sources and finished objects.

    Attributes:
        name: ``"c"`` or ``"tflm"``.
        version: What exactly it is.
        files: Name and text of files that are written beside each other; those that end in
            ``.c`` or ``.cc`` are compiled.
        options: Further options for these files.
        cxx_options: Further ones for those in C++.
        libraries: Archives and options for the linker, such as ``"-lm"``.
        is_cxx: Whether it is linked as C++.
    """

    name: str
    version: str
    files: Mapping[str, str]
    options: tuple[str, ...] = ()
    cxx_options: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    is_cxx: bool = False


@dataclasses.dataclass(frozen=True)
class Firmware:
    """A program for one board, or for a machine in its place.

    Attributes:
        program: The linked program.
        target: What it was built for.
        output_bytes: What an inference answers, all outputs together.
        runtime: ``"c"`` or ``"tflm"``.
        built_with: Runtime and compiler, with versions.
    """

    program: Program
    target: Target
    output_bytes: int
    runtime: str
    built_with: str

    @property
    def layout(self) -> Layout:
        """Where its parts lie."""
        return self.target.layout

    @property
    def flash_bytes(self) -> int:
        """Flash that it takes: code with the harness, weights, constants, initial values."""
        return self.program.loaded_bytes

    @property
    def arena_reserved_bytes(self) -> int:
        """The arena that it sets aside."""
        return self.program.address("arena_end") - self.program.address("arena_start")

    @property
    def static_sram_bytes(self) -> int:
        """SRAM that it takes without its stack."""
        return self.program.address("program_end") - self.program.address("stack_top")


def build_firmware(
    runtime: RuntimeParts, target: Target, output_bytes: int, compiler: CrossCompiler
) -> Firmware:
    """Compile and link a firmware.

    Args:
        runtime: The runtime with its model.
        target: What to build for.
        output_bytes: What an inference answers, all outputs together.
        compiler: The compiler to use.

    Raises:
        EngineError: The compiler or the linker refuses something.
        FirmwareError: The firmware does not fit the memories.
    """
    with tempfile.TemporaryDirectory(prefix="mcuprune-firmware-") as name:
        program = read_program(_link(Path(name), runtime, target, compiler))
    built_with = f"{runtime.version}; {compiler.version}"
    firmware = Firmware(program, target, output_bytes, runtime.name, built_with)
    layout = target.layout
    layout.require_fitting(firmware.flash_bytes, layout.stack_bytes + firmware.static_sram_bytes)
    return firmware


def linker_script(layout: Layout) -> str:
    """Return the linker script for a layout."""
    text = (SOURCES / "harness.ld.in").read_text(encoding="ascii")
    for place, value in {
        "@FLASH_ADDRESS@": f"{layout.flash.address:#010x}",
        "@RAM_ADDRESS@": f"{layout.ram.address:#010x}",
        "@STACK_BYTES@": str(layout.stack_bytes),
        "@ARENA@": ARENA_SECTIONS,
    }.items():
        text = text.replace(place, value)
    return text


def _link(folder: Path, runtime: RuntimeParts, target: Target, compiler: CrossCompiler) -> bytes:
    files, exchange = (
        (_SEMIHOSTING, ()) if target.exchange is None else (_UART, target.exchange.options)
    )
    sources = [SOURCES / name for name in (*_HARNESS, *files)] + _written(folder, runtime.files)
    core_flags = compiler.core_flags(target.core)
    options = (*core_flags, *_OPTIONS, *exchange, f"-I{folder}", f"-I{SOURCES}")
    options += () if compiler.name == GCC else (f"-I{SOURCES / 'libc'}",)
    objects = [_compiled(source, folder, options, runtime, compiler) for source in sources]
    script, elf = folder / "harness.ld", folder / "firmware.elf"
    script.write_text(linker_script(target.layout), encoding="ascii")
    compiler.link(objects, script, elf, core_flags, runtime.libraries, cxx=runtime.is_cxx)
    return elf.read_bytes()


def _written(folder: Path, files: Mapping[str, str]) -> list[Path]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files if name.endswith((".c", ".cc"))]


def _compiled(
    source: Path,
    folder: Path,
    options: tuple[str, ...],
    runtime: RuntimeParts,
    compiler: CrossCompiler,
) -> Path:
    is_cxx = source.suffix == ".cc"
    target = folder / f"{source.name}.o"
    language = runtime.cxx_options if is_cxx else _C_OPTIONS
    own = runtime.options if source.parent == folder else ()
    compiler.compile(source, target, (*options, *language, *own), cxx=is_cxx)
    return target
