"""What every damaged file is given to: all that reads a model file of unknown origin."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from mcuprune.boards import board
from mcuprune.budget import Budget
from mcuprune.codegen import generate
from mcuprune.cost.front import estimate
from mcuprune.deployment.check import check
from mcuprune.deployment.optimize import optimize
from mcuprune.errors import McupruneError

# What a command may take for a file of up to some hundred kilobytes.
LIMIT_S = 10.0
# A whole command takes as long as it is told to; the search for a plan is no defect.
PLANNING_S = 0.02
_BOARD = "nucleo-l4r5zi"


class TooLongError(Exception):
    """A command took longer than it may."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one command made of one file.

    Attributes:
        result: ``"taken"``, ``"refused"`` (with an error of this package) or ``"defect"``.
        detail: The error's message, or where a defect shows itself.
        seconds: Wall time.
    """

    result: str
    detail: str
    seconds: float


def outcomes(path: Path) -> Mapping[str, Outcome]:
    """Give a file to every command, as its functions are called by the command line.

    Args:
        path: The file.
    """
    return {name: _outcome(target, path) for name, target in TARGETS.items()}


def _outcome(target: Callable[[Path], object], path: Path) -> Outcome:
    begin = time.perf_counter()
    try:
        with _limited():
            target(path)
    except McupruneError as error:
        result, detail = "refused", str(error)
    except Exception as error:  # noqa: BLE001 (any other exception is what is looked for)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.name}"
        result, detail = "defect", f"{type(error).__name__} in {place}: {error}"
    else:
        result, detail = "taken", ""
    return Outcome(result, detail, time.perf_counter() - begin)


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def raised(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise TooLongError(f"over {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, raised)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _estimate(path: Path) -> object:
    return estimate(path, board=_BOARD).to_json()


def _check(path: Path) -> object:
    return check(path, Budget.for_board(_BOARD))


def _optimize(path: Path) -> object:
    return optimize(path.read_bytes(), str(path), time_limit_s=PLANNING_S, check=False).to_json()


def _codegen(path: Path) -> object:
    sources = generate(path.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        sources.write(Path(folder))
    return sources


TARGETS: Mapping[str, Callable[[Path], object]] = {
    "estimate": _estimate,
    "check": _check,
    "optimize": _optimize,
    "codegen": _codegen,
}
# Loaded before the first file, so that no file is charged for it.
board(_BOARD)
