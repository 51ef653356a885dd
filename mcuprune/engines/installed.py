"""What is installed of all that mcuprune can use, and how to get what is missing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Sequence

REQUIRED, OPTIONAL = "required", "optional"
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_SECONDS = 20
# Names the program where it is not called so, or not on the path.
RENODE, RENODE_VARIABLE = "renode", "MCUPRUNE_RENODE"


@dataclasses.dataclass(frozen=True)
class Tool:
    """A package or program.

    Attributes:
        name: What it is called.
        purpose: What it is used for.
        version: The installed version, None if it is missing.
        need: ``"required"`` or ``"optional"``.
        hint: How to get it.
    """

    name: str
    purpose: str
    version: str | None
    need: str
    hint: str

    @property
    def is_missing(self) -> bool:
        """Whether it is not installed."""
        return self.version is None

    def to_json(self) -> dict[str, str | None]:
        """Return the stable JSON form."""
        return dataclasses.asdict(self)


_REINSTALL = "reinstall mcuprune: pip install --force-reinstall mcuprune"
_BOARDS = "pip install 'mcuprune[boards]', in a checkout pip install '.[boards]'"
_TF_KERAS = "pip install 'mcuprune[tf-keras]', in a checkout pip install '.[tf-keras]'"
# Distribution, purpose, need, hint.
_PACKAGES = (
    ("tensorflow", "training and conversion", REQUIRED, _REINSTALL),
    ("keras", "networks", REQUIRED, _REINSTALL),
    ("numpy", "arrays", REQUIRED, _REINSTALL),
    ("ai-edge-litert", "engine LiteRT: accuracy of int8 models", REQUIRED, _REINSTALL),
    ("tflite-micro", "engine TensorFlow Lite Micro: arenas, golden vectors", REQUIRED, _REINSTALL),
    ("scikit-learn", "the data set digits", REQUIRED, _REINSTALL),
    ("unicorn", "simulated boards: simulator cortexm", OPTIONAL, _BOARDS),
    ("ziglang", "simulated boards: compiler for Cortex-M", OPTIONAL, _BOARDS),
    ("pyelftools", "simulated boards: reads programs", OPTIONAL, _BOARDS),
    ("tf-keras", "from_tf_keras: Keras 2 models", OPTIONAL, _TF_KERAS),
    (
        "tflite-runtime",
        "engine tflite-runtime, the legacy interpreter",
        OPTIONAL,
        "an environment with Python 3.11 and numpy 1 (see the page on engines)",
    ),
)
# Commands of which one is enough, purpose, hint.
_PROGRAMS = (
    (("cc", "gcc", "clang"), "generated C on this machine", "apt-get install gcc"),
    (
        ("arm-none-eabi-gcc",),
        "firmware for Cortex-M",
        "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib",
    ),
    (("qemu-system-arm",), "simulated boards: simulator qemu", "apt-get install qemu-system-arm"),
    (
        (RENODE,),
        "simulated boards: simulator renode",
        f"https://renode.io; elsewhere than on the path: --renode PATH or {RENODE_VARIABLE}",
    ),
    (("cmake",), "firmware projects: format cmake", "apt-get install cmake"),
    (
        ("chromium", "chromium-browser", "google-chrome"),
        "tests of the HTML report",
        "apt-get install chromium",
    ),
)


def installed_tools() -> tuple[Tool, ...]:
    """Return every package and program that mcuprune can use, nothing of them imported."""
    packages = [
        Tool(name, purpose, package_version(name), need, hint)
        for name, purpose, need, hint in _PACKAGES
    ]
    programs = [
        Tool(commands[0], purpose, program_version(_as_called(commands)), OPTIONAL, hint)
        for commands, purpose, hint in _PROGRAMS
    ]
    return (*packages, *programs)


def renode_command(program: str | None = None) -> str:
    """Return how Renode is started: as given, else as the environment says, else by its name."""
    return program or os.environ.get(RENODE_VARIABLE) or RENODE


def _as_called(commands: Sequence[str]) -> Sequence[str]:
    return (renode_command(),) if RENODE in commands else commands


def package_version(name: str) -> str | None:
    """Return the version of a Python distribution, None if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def program_version(commands: Sequence[str]) -> str | None:
    """Return the version of the first program that is there; None if none is or works.

    Args:
        commands: Names to look for on the PATH.
    """
    path = next(filter(None, map(shutil.which, commands)), None)
    if path is None:
        return None
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(said.stdout)
    return found[0] if found else "found"
