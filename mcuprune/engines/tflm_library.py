"""Compiles a checkout of TensorFlow Lite Micro, with CMSIS-NN if it is there, into a library.

As TFLM's own makefile does for a release build (tensorflow/lite/micro/tools/make/Makefile with
``TARGET=cortex_m_generic BUILD_TYPE=release OPTIMIZED_KERNEL_DIR=cmsis_nn``): the core for size,
kernels for speed. Compiled files are kept in the user's cache folder.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from mcuprune.engines.cross_compiler import GCC, CrossCompiler
from mcuprune.errors import EngineError, InputError, MissingToolError

_MICRO = Path("tensorflow/lite/micro")
# Where `make -f tensorflow/lite/micro/tools/make/Makefile third_party_downloads` puts them, and
# where trees that TFLM generates for projects have them.
_DOWNLOADS = (_MICRO / "tools/make/downloads", Path("third_party"))
_REQUIRED = ("flatbuffers", "gemmlowp", "ruy")
_CMSIS_NN = "cmsis_nn"
# Folders of the runtime itself, whose files are compiled for size.
CORE_FOLDERS = (
    "tensorflow/lite/micro",
    "tensorflow/lite/micro/arena_allocator",
    "tensorflow/lite/micro/memory_planner",
    "tensorflow/lite/micro/tflite_bridge",
    "tensorflow/lite/core/api",
    "tensorflow/lite/core/c",
    "tensorflow/lite/kernels",
    "tensorflow/lite/kernels/internal",
    "tensorflow/lite/kernels/internal/reference",
    "tensorflow/compiler/mlir/lite/core/api",
    "tensorflow/compiler/mlir/lite/schema",
)
# In the names of files that only TFLM's own tests need.
TEST_SOURCES = ("test", "mock_", "fake_", "recording_", "hexdump")
# The harness of a simulated board has its own.
_NOT_FOR_FIRMWARE = (*TEST_SOURCES, "debug_log", "micro_time")
DEFINITIONS = (
    "-DNDEBUG",
    "-DTF_LITE_STRIP_ERROR_STRINGS",
    "-DTF_LITE_STATIC_MEMORY",
    "-DTF_LITE_DISABLE_X86_NEON",
    "-DARM_NN_ENABLE_F16=0",
    "-DARM_NN_ENABLE_F32=0",
)
_OPTIONS = (
    *DEFINITIONS,
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-fomit-frame-pointer",
    "-w",
)
CXX_OPTIONS = ("-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")


@dataclasses.dataclass(frozen=True)
class Checkout:
    """A checkout of TFLM and the libraries beside it.

    Attributes:
        root: The folder that holds ``tensorflow/``.
        downloads: The folder that holds flatbuffers, gemmlowp and ruy.
        cmsis_nn: CMSIS-NN, None if it is not there.
    """

    root: Path
    downloads: Path
    cmsis_nn: Path | None

    @property
    def options(self) -> tuple[str, ...]:
        """Options with which everything that includes TFLM's headers is compiled."""
        folders = [self.root, self.downloads]
        folders += [self.downloads / "gemmlowp", self.downloads / "ruy"]
        folders.append(self.downloads / "flatbuffers" / "include")
        if self.cmsis_nn is not None:
            folders += [self.cmsis_nn, self.cmsis_nn / "Include"]
        kernels = () if self.cmsis_nn is None else ("-DCMSIS_NN",)
        return (*kernels, *(f"-I{folder}" for folder in folders))


@dataclasses.dataclass(frozen=True)
class _Unit:
    source: Path
    optimization: str


def find_checkout(root: Path) -> Checkout:
    """Return the parts of a checkout.

    Args:
        root: The folder that holds ``tensorflow/lite/micro``.

    Raises:
        InputError: It is no checkout, or what its makefile downloads is missing; says how to get
            it.
    """
    root = root.resolve()
    if not (root / _MICRO / "micro_interpreter.cc").is_file():
        raise InputError(
            f"{root} holds no {_MICRO}/micro_interpreter.cc: give a checkout of "
            "https://github.com/tensorflow/tflite-micro"
        )
    for place in _DOWNLOADS:
        downloads = root / place
        if all((downloads / name).is_dir() for name in _REQUIRED):
            cmsis_nn = downloads / _CMSIS_NN
            return Checkout(root, downloads, cmsis_nn if cmsis_nn.is_dir() else None)
    raise InputError(
        f"{root} lacks {', '.join(_REQUIRED)}: run `make -f {_MICRO}/tools/make/Makefile "
        "TARGET=cortex_m_generic TARGET_ARCH=cortex-m4 OPTIMIZED_KERNEL_DIR=cmsis_nn "
        "third_party_downloads` there"
    )


def build_library(
    checkout: Checkout, kinds: Collection[str], core: str, compiler: CrossCompiler
) -> Path:
    """Compile TFLM for a core and return the archive.

    Args:
        checkout: The sources.
        kinds: The operators that a model needs, such as ``"CONV_2D"``.
        core: The core, such as ``"cortex-m4"``.
        compiler: arm-none-eabi-gcc with its C++ library.

    Raises:
        MissingToolError: The compiler is another.
        EngineError: A file does not compile.
    """
    if compiler.name != GCC or compiler.cxx_command is None:
        raise MissingToolError(
            "TensorFlow Lite Micro needs arm-none-eabi-g++ with a C++ library: apt-get install "
            "gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib"
        )
    folder = _objects_folder(checkout, core, compiler)
    folder.mkdir(parents=True, exist_ok=True)
    options = (*compiler.core_flags(core), *_OPTIONS, *checkout.options)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = pool.map(
            lambda unit: _compile(unit, folder, options, compiler), _units(checkout, kinds)
        )
        objects = list(compiled)
    return _archive(folder, objects)


def cache_folder() -> Path:
    """Return the folder for what is worth keeping, as the XDG base directories have it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcuprune"


def _objects_folder(checkout: Checkout, core: str, compiler: CrossCompiler) -> Path:
    identity = "\n".join([*checkout.options, *_OPTIONS, compiler.version, core])
    return cache_folder() / f"tflm-{core}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _units(checkout: Checkout, kinds: Collection[str]) -> Iterator[_Unit]:
    for folder in CORE_FOLDERS:
        for source in _sources(checkout.root / folder):
            yield _Unit(source, "-Os")
    kernels = checkout.root / _MICRO / "kernels"
    optimized = set() if checkout.cmsis_nn is None else set(_sources(kernels / _CMSIS_NN))
    replaced = {source.name for source in optimized}
    for source in sorted(optimized | {s for s in _sources(kernels) if s.name not in replaced}):
        if _is_needed(source, kinds):
            yield _Unit(source, "-O2")
    if checkout.cmsis_nn is not None:
        for source in sorted((checkout.cmsis_nn / "Source").rglob("*.c")):
            if not source.stem.endswith(("_f16", "_f32", "_flt")):
                yield _Unit(source, "-O2")


def _is_needed(kernel: Path, kinds: Collection[str]) -> bool:
    """Tell whether a file registers an operator of the model, or none because others share it."""
    registered = re.findall(r"\bRegister_(\w+)\(", kernel.read_text(encoding="utf-8"))
    return not registered or any(name.startswith(tuple(kinds)) for name in registered)


def _sources(folder: Path) -> list[Path]:
    return [
        source
        for source in sorted(folder.glob("*.cc"))
        if not any(word in source.name for word in _NOT_FOR_FIRMWARE)
    ]


def _compile(unit: _Unit, folder: Path, options: tuple[str, ...], compiler: CrossCompiler) -> Path:
    identity = hashlib.sha256(str(unit.source).encode()).hexdigest()[:8]
    target = folder / f"{unit.source.stem}-{identity}.o"
    if not target.is_file() or target.stat().st_mtime < unit.source.stat().st_mtime:
        is_cxx = unit.source.suffix == ".cc"
        language = CXX_OPTIONS if is_cxx else ("-std=c17",)
        partial = _partial(target)
        compiler.compile(unit.source, partial, (*options, *language, unit.optimization), cxx=is_cxx)
        partial.replace(target)
    return target


def _archive(folder: Path, objects: list[Path]) -> Path:
    names = "\n".join(str(path) for path in objects)
    archive = folder / f"libtflm-{hashlib.sha256(names.encode()).hexdigest()[:8]}.a"
    archiver = shutil.which("arm-none-eabi-ar")
    if archiver is None:
        raise MissingToolError(
            "arm-none-eabi-ar is missing: apt-get install binutils-arm-none-eabi"
        )
    partial = _partial(archive)
    partial.unlink(missing_ok=True)
    done = subprocess.run(
        [archiver, "rcs", str(partial), *map(str, objects)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineError(f"arm-none-eabi-ar could not make the library: {done.stderr}")
    partial.replace(archive)
    return archive


def _partial(target: Path) -> Path:
    """Return where to write a file that other processes may be writing too."""
    return target.with_name(f"{target.stem}.{os.getpid()}{target.suffix}")
